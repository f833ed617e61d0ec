//! What stands before the proxy on every connection: caps on connections, and a deadline for a request's header.

mod connections;
mod header_deadline;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::protocols::Stream;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;

pub use connections::Connections;
pub use header_deadline::HeaderDeadline;

use crate::gateway::Gateway;

pub struct Edge {
    pub proxy: Arc<HttpProxy<Gateway>>,
    pub connections: Connections,
    pub header_max: Duration,
}

#[async_trait]
impl ServerApp for Edge {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let address = stream.get_socket_digest().and_then(|digest| Some(digest.peer_addr()?.as_inet()?.ip()));
        let _counted = self.connections.count(address)?;
        let stream = Box::new(HeaderDeadline::new(stream, self.header_max));
        ServerApp::process_new(&self.proxy, stream, shutdown).await
    }

    async fn cleanup(&self) {
        ServerApp::cleanup(&*self.proxy).await;
    }
}
