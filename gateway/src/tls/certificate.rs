//! One certificate with its key, as two PEM files hold them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A chain or a key is a few kilobytes; what is larger is something else.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug)]
pub struct Certificate {
    pub key: Arc<CertifiedKey>,
    /// The DNS names it holds, in lower case.
    pub names: Vec<String>,
    /// Seconds since 1970.
    pub expires_at: i64,
}

impl Certificate {
    /// Reads both files and sees that they belong together.
    pub fn read(chain: &Path, key: &Path) -> anyhow::Result<Self> {
        let (chain_pem, key_pem) = (read_file(chain)?, read_file(key)?);
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&chain_pem)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{} is not PEM", chain.display()))?;
        // Without its cause, which may quote the file: it holds a secret.
        let Ok(private) = PrivateKeyDer::from_pem_slice(&key_pem) else {
            bail!("{} holds no private key in PEM", key.display());
        };
        Self::new(certificates, private).with_context(|| format!("{} with the key {}", chain.display(), key.display()))
    }

    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> anyhow::Result<Self> {
        let Some(first) = chain.first() else { bail!("there is no certificate") };
        let (_, parsed) = X509Certificate::from_der(first).context("the certificate can't be read")?;
        let names = names(&parsed).context("the certificate's names can't be read")?;
        if names.is_empty() {
            bail!("the certificate holds no DNS name");
        }
        let expires_at = parsed.validity().not_after.timestamp();
        // This also compares the two public keys.
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider())
            .context("the certificate and its key do not fit together")?;
        Ok(Self { key: Arc::new(key), names, expires_at })
    }

    /// What it is called in metrics and log lines.
    pub fn label(&self) -> String {
        self.names.first().cloned().unwrap_or_default()
    }
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let named = || path.display().to_string();
    let bytes = std::fs::metadata(path).with_context(named)?.len();
    if bytes > FILE_BYTES_MAX {
        bail!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
    }
    std::fs::read(path).with_context(named)
}

fn names(certificate: &X509Certificate<'_>) -> anyhow::Result<Vec<String>> {
    let Some(alternatives) = certificate.subject_alternative_name()? else { return Ok(vec![]) };
    let names = alternatives.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    Ok(names.collect())
}

#[cfg(test)]
pub mod tests {
    use rcgen::{CertifiedKey as Generated, generate_simple_self_signed};

    use super::*;

    fn generated(names: &[&str]) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let Generated { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        (vec![cert.der().clone()], PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap())
    }

    pub fn certificate(names: &[&str]) -> Certificate {
        let (chain, key) = generated(names);
        Certificate::new(chain, key).unwrap()
    }

    #[test]
    fn names_and_expiry_are_read_from_the_certificate() {
        let one = certificate(&["A.test", "*.b.test"]);
        assert_eq!(
            (one.names.as_slice(), one.label()),
            (&["a.test".to_owned(), "*.b.test".to_owned()][..], "a.test".into())
        );
        assert!(one.expires_at > 4_000_000_000, "{}", one.expires_at);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let ((chain, key), (_, other)) = (generated(&["a.test"]), generated(&["a.test"]));
        for (chain, key, why) in [
            (vec![], key.clone_key(), "there is no certificate"),
            (vec![CertificateDer::from(vec![1, 2])], key, "can't be read"),
            (chain, other, "do not fit together"),
        ] {
            let error = Certificate::new(chain, key).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let (chain, key) = generated(&[]);
        assert!(Certificate::new(chain, key).unwrap_err().to_string().contains("no DNS name"));
    }
}
