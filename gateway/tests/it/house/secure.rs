//! An upstream that speaks HTTP/2, with TLS or without, and one that speaks HTTP/1.1 with TLS.
//!
//! Its certificate is for `localhost` only, and was signed by a test CA whose key is gone.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub const TEST_CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/house/tls/ca.pem");

pub struct SecureUpstream {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl SecureUpstream {
    /// `tls`: the protocols it offers; `None` = HTTP/2 in the clear.
    pub async fn start(tls: Option<&[&str]>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let acceptor = tls.map(acceptor);
        let remembered = seen.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, acceptor) = (remembered.clone(), acceptor.clone());
                connections.spawn(async move {
                    let Some(acceptor) = acceptor else { return serve_h2(stream, &seen).await };
                    // Who does not believe the certificate goes away.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                        serve_h2(stream, &seen).await;
                    } else {
                        serve_h1(stream, &seen).await;
                    }
                });
            }
        });
        Self { port, seen, _tasks: tasks }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Version, method and target of each request.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn acceptor(protocols: &[&str]) -> TlsAcceptor {
    let file = |name: &str| Path::new(TEST_CA).with_file_name(name);
    let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve_h2(stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Mutex<Vec<String>>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        seen.lock().unwrap().push(format!("h2 {} {}", request.method(), request.uri()));
        let priced = request.uri().path().ends_with("/trailer");
        let mut body = respond.send_response(http::Response::new(()), false).unwrap();
        body.send_data("{}".into(), !priced).unwrap();
        if priced {
            let lines = [("tollgate-price", "9"), ("credits-remaining", "1"), ("end", "well")];
            let lines = lines.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            body.send_trailers(lines.into_iter().collect()).unwrap();
        }
    }
}

async fn serve_h1(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Mutex<Vec<String>>) {
    let mut buffer = Vec::new();
    while stream.read_buf(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {
        if !buffer.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&buffer).into_owned();
        seen.lock().unwrap().push(format!("h1 {}", head.split(" HTTP").next().unwrap()));
        buffer.clear();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.ok();
    }
}
