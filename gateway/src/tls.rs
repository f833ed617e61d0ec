//! TLS as callers speak it: certificates chosen by the name they ask for, replaced when their files change.

mod certificate;
mod reload;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use config::ConfigError;
use config::gateway::Tls;
use pingora::listeners::tls::Acceptor;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

use certificate::Certificate;
pub use reload::keep_reloading;

/// All certificates in force. The first serves callers who name no known host.
#[derive(Debug)]
pub struct Certificates {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    first: Arc<CertifiedKey>,
    /// The first name of each, and when it expires, in seconds since 1970.
    pub expiries: Vec<(String, i64)>,
}

impl Certificates {
    /// Reads every file; `None` without TLS.
    pub fn read(settings: &Tls) -> Result<Option<Self>, ConfigError> {
        if settings.listen.is_none() {
            return Ok(None);
        }
        let files = settings.certificates.iter().map(|files| {
            Certificate::read(&files.chain(), &files.key())
                .map_err(|error| ConfigError::about_key("tls.certificates", format_args!("{error:#}")))
        });
        let all = files.collect::<Result<Vec<_>, _>>()?;
        let missing = || ConfigError::about_key("tls.certificates", "`tls.listen` needs at least one certificate");
        Self::new(all).ok_or_else(missing).map(Some)
    }

    fn new(all: Vec<Certificate>) -> Option<Self> {
        let first = all.first()?.key.clone();
        let expiries = all.iter().map(|one| (one.label(), one.expires_at)).collect();
        let mut by_name = HashMap::new();
        for one in all {
            for name in one.names {
                // The first to hold a name keeps it.
                by_name.entry(name).or_insert_with(|| one.key.clone());
            }
        }
        Some(Self { by_name, first, expiries })
    }

    /// By the exact name, then by `*.` and what follows its first label.
    fn find(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let found = name.map(str::to_ascii_lowercase).and_then(|name| {
            let exact = self.by_name.get(&name);
            exact.or_else(|| self.by_name.get(&format!("*.{}", name.split_once('.')?.1)))
        });
        found.unwrap_or(&self.first).clone()
    }
}

/// What each handshake asks for its certificate.
#[derive(Debug)]
pub struct InForce(RwLock<Arc<Certificates>>);

impl InForce {
    pub fn new(certificates: Certificates) -> Self {
        Self(RwLock::new(Arc::new(certificates)))
    }

    pub fn replace(&self, certificates: Certificates) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certificates);
    }
}

impl ResolvesServerCert for InForce {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).find(hello.server_name()))
    }
}

/// HTTP/2 first, then HTTP/1.1; nothing below TLS 1.2.
pub fn acceptor(certificates: Arc<InForce>) -> anyhow::Result<Acceptor> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .context("no version of TLS")?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Acceptor::from_server_config(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::certificate::tests::certificate;

    #[test]
    fn the_name_asked_for_chooses_the_certificate() {
        let [a, b, wild] = [["a.test"], ["b.test"], ["*.b.test"]].map(|names| certificate(&names));
        let keys = [a.key.clone(), b.key.clone(), wild.key.clone()];
        let all = Certificates::new(vec![a, b, wild]).unwrap();
        for (name, due) in [
            (Some("a.test"), 0),
            (Some("B.test"), 1),
            (Some("x.b.test"), 2),
            (Some("x.y.b.test"), 0),
            (Some("x.a.test"), 0),
            (Some("nobody.test"), 0),
            (Some("test"), 0),
            (None, 0),
        ] {
            assert!(Arc::ptr_eq(&all.find(name), &keys[due]), "{name:?}");
        }
    }

    #[test]
    fn no_certificate_is_none() {
        assert!(Certificates::new(vec![]).is_none());
    }
}
