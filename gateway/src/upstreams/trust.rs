//! Whose certificates a group believes.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use pingora::protocols::tls::CaType;
use pingora::tls::RootCertStore;
use pingora::utils::tls::{WrappedX509, parse_x509};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Every certificate of a PEM file, each checked to be one.
pub fn read_ca(file: &Path) -> anyhow::Result<Arc<CaType>> {
    let about = || format!("ca_file {}", file.display());
    let mut believed = Vec::new();
    for certificate in CertificateDer::pem_file_iter(file).with_context(about)? {
        let certificate = certificate.with_context(about)?;
        // Refuses what is no certificate, which the parser below could only answer with a panic.
        RootCertStore::empty().add(certificate.clone()).with_context(about)?;
        believed.push(WrappedX509::new(certificate.to_vec(), parse_x509));
    }
    if believed.is_empty() {
        bail!("ca_file {} holds no certificate", file.display());
    }
    Ok(believed.into())
}
