//! What stands before the proxy on every connection: caps on connections, TLS, HTTP/1 or 2, and a deadline for a request's header.

mod connections;
mod header_deadline;
mod http2;
mod preface;
mod resets;
mod secure;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use pingora::apps::ServerApp;
use pingora::protocols::{ALPN, Stream};
use pingora::server::ShutdownWatch;

pub use connections::Connections;
pub use header_deadline::HeaderDeadline;
pub use http2::{http2_limits, http2_options};
pub use secure::Secure;

use crate::metrics::{Metrics, until_none};
use crate::wire::Door;

pub struct Edge {
    pub door: Arc<Door>,
    pub connections: Connections,
    pub header_max: Duration,
    /// `None` without TLS.
    pub secure: Option<Secure>,
    /// Whether a plain connection may speak HTTP/2.
    pub plain_http2: bool,
    pub companion: Companion,
    pub linger: Linger,
}

/// How long kept connections stay open in a stop.
#[derive(Clone)]
pub struct Linger {
    pub max: Duration,
    pub metrics: Arc<Metrics>,
}

impl Linger {
    /// Until all are closed, or the time is over. Each answer says `Connection: close` by now.
    pub async fn wait(&self) {
        until_none(&self.metrics.connections, self.max).await;
    }
}

/// Work that must live on the proxy's own runtime, which nobody can reach before pingora runs it: the first connection starts it,
/// and the gateway makes that one itself.
pub struct Companion {
    started: Once,
    /// For those who wait for the first connection.
    runs: Arc<AtomicBool>,
    work: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Companion {
    pub fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { started: Once::new(), runs: Arc::default(), work: Mutex::new(Some(Box::pin(work))) }
    }

    /// Set once it runs.
    pub fn runs(&self) -> Arc<AtomicBool> {
        self.runs.clone()
    }

    fn start(&self) {
        self.started.call_once(|| {
            self.runs.store(true, Ordering::Relaxed);
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
        let socket = stream.get_socket_digest();
        let address = socket.as_ref().and_then(|socket| Some(socket.peer_addr()?.as_inet()?.ip()));
        let _counted = self.connections.count(address)?;
        let secure = self.secure.as_ref().filter(|secure| secure.takes(socket.as_deref()));
        let stream = if let Some(secure) = secure {
            let stream = secure.accept(stream, self.header_max).await?;
            let http2 = stream.selected_alpn_proto() == Some(ALPN::H2);
            let mut stream = HeaderDeadline::new(stream, self.header_max);
            // Who chose HTTP/2 and speaks something else is not listened to.
            (!http2 || stream.find_http2().await.ok()?).then_some(stream)?
        } else {
            let mut stream = HeaderDeadline::new(stream, self.header_max);
            if self.plain_http2 {
                stream.find_http2().await.ok()?;
            }
            stream
        };
        ServerApp::process_new(&self.door, Box::new(stream), shutdown).await
    }

    /// Nothing is accepted any more. What was kept alive is closed only after its callers had time to hear of it.
    async fn cleanup(&self) {
        self.linger.wait().await;
        ServerApp::cleanup(&*self.door).await;
    }
}
