//! Certificates made for a test, and a caller who speaks TLS.

use std::path::PathBuf;
use std::sync::Arc;

use metering::testing::free_port;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::caller::Answer;

/// A listener for TLS with certificates in files of their own.
pub struct Tls {
    directory: TempDir,
    pub port: u16,
}

impl Tls {
    /// One self-signed certificate for each name.
    pub fn new(names: &[&str]) -> Self {
        let tls = Self { directory: TempDir::new().unwrap(), port: free_port() };
        for name in names {
            tls.renew(name);
        }
        tls
    }

    /// The lines of a `gateway.toml`.
    pub fn settings(&self, names: &[&str]) -> String {
        let mut lines = format!("[tls]\nlisten = \"127.0.0.1:{}\"\nreload_ms = 50\n", self.port);
        for name in names {
            let [chain, key] = [self.chain(name), self.key(name)].map(|path| path.display().to_string());
            lines.extend(["[[tls.certificates]]\nchain = \"", &chain, "\"\nkey = \"", &key, "\"\n"]);
        }
        lines
    }

    pub fn chain(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.pem"))
    }

    pub fn key(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.key"))
    }

    /// Writes a new certificate and key for a name.
    pub fn renew(&self, name: &str) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        std::fs::write(self.key(name), signing_key.serialize_pem()).unwrap();
        std::fs::write(self.chain(name), cert.pem()).unwrap();
    }

    /// The certificate that stands in the file now.
    pub fn on_disk(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.chain(name)).unwrap()
    }

    /// A connection that asks for a name, trusts only the certificate `trusted`, and offers these protocols.
    pub async fn connect(
        &self,
        name: &str,
        trusted: CertificateDer<'static>,
        protocols: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
    }
}

/// Sends a request of HTTP/1.1 that closes its connection, and reads the answer.
pub async fn ask(mut stream: TlsStream<TcpStream>, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).await.ok();
    Answer::parse(&told).unwrap()
}
