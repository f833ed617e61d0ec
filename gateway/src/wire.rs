//! Plain HTTP/1 connections to upstreams, on which a request's header leaves together with its body.
//!
//! pingora flushes the header before it looks for a body: two packets, and an upstream that is woken twice. It takes a connection from
//! a connector of ours where a peer asks for a protocol of that name; which protocol is spoken is no different.

mod gathered;
mod proxy;

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use pingora::Result;
use pingora::connectors::http::custom::{Connection, Connector};
use pingora::connectors::{ConnectorOptions, TransportConnector};
use pingora::protocols::ALPN;
use pingora::protocols::tls::CustomALPN;
use pingora::upstreams::peer::Peer;

use self::gathered::Gathered;

pub use self::proxy::{Door, proxy};

static GATHERED: LazyLock<ALPN> = LazyLock::new(|| ALPN::Custom(CustomALPN::new(b"gathered".to_vec())));

/// What a peer asks for so that its connections come from here. Nobody is told: a plain connection negotiates nothing.
pub fn gathered() -> ALPN {
    GATHERED.clone()
}

/// Makes connections; those that are kept are in pingora's own pool.
pub struct Wire(TransportConnector);

impl Wire {
    fn new(options: ConnectorOptions) -> Self {
        Self(TransportConnector::new(Some(options)))
    }
}

#[async_trait]
impl Connector for Wire {
    type Session = ();

    async fn get_http_session<P: Peer + Send + Sync + 'static>(&self, peer: &P) -> Result<(Connection<()>, bool)> {
        let stream = self.0.new_stream(peer).await?;
        Ok((Connection::Stream(Box::new(Gathered::new(stream))), false))
    }

    async fn reused_http_session<P: Peer + Send + Sync + 'static>(&self, _: &P) -> Option<()> {
        None
    }

    async fn release_http_session<P: Peer + Send + Sync + 'static>(&self, (): (), _: &P, _: Option<Duration>) {}
}
