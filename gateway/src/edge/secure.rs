//! The listener for TLS. pingora would give a handshake a minute before anybody counts the connection; here it has a header's time.

use std::time::Duration;

use pingora::listeners::tls::Acceptor;
use pingora::protocols::{SocketDigest, Stream};

use super::HeaderDeadline;

pub struct Secure {
    pub port: u16,
    pub acceptor: Acceptor,
}

impl Secure {
    /// Whether a connection came to this listener.
    pub fn takes(&self, socket: Option<&SocketDigest>) -> bool {
        let local = socket.and_then(|socket| socket.local_addr()?.as_inet());
        local.is_some_and(|local| local.port() == self.port)
    }

    /// The connection after its handshake; `None` for one that failed or took too long.
    pub async fn accept(&self, stream: Stream, limit: Duration) -> Option<Stream> {
        let plain = HeaderDeadline::without_limit(stream);
        let secured = tokio::time::timeout(limit, self.acceptor.tls_handshake(plain)).await;
        Some(Box::new(secured.ok()?.ok()?))
    }
}
