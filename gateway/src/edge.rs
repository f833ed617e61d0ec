//! What stands before the proxy on every connection: caps on connections, and a deadline for a request's header.

mod connections;
mod header_deadline;

use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
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
    pub companion: Companion,
}

/// Work that must live on the proxy's own runtime, which nobody can reach before pingora runs it: the first connection starts it,
/// and the gateway makes that one itself.
pub struct Companion {
    started: Once,
    work: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Companion {
    pub fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { started: Once::new(), work: Mutex::new(Some(Box::pin(work))) }
    }

    fn start(&self) {
        self.started.call_once(|| {
            let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
            #[expect(
                clippy::disallowed_methods,
                reason = "ends with the runtime that it belongs to; nothing of it must be awaited"
            )]
            work.map(tokio::spawn);
        });
    }
}

#[async_trait]
impl ServerApp for Edge {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        self.companion.start();
        let address = stream.get_socket_digest().and_then(|digest| Some(digest.peer_addr()?.as_inet()?.ip()));
        let _counted = self.connections.count(address)?;
        let stream = Box::new(HeaderDeadline::new(stream, self.header_max));
        ServerApp::process_new(&self.proxy, stream, shutdown).await
    }

    async fn cleanup(&self) {
        ServerApp::cleanup(&*self.proxy).await;
    }
}
