//! pingora's proxy with a connector of ours.
//!
//! pingora makes such a proxy only as a service, and shows it to nobody but those who handle the connections of that service. So the
//! service runs for one connection, which we make ourselves and which takes the proxy out; callers come by the edge.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::IntoRawFd;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use futures::future::BoxFuture;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::connectors::ConnectorOptions;
use pingora::modules::http::HttpModules;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::proxy::{HttpProxy, ProcessCustomSession, ProxyServiceBuilder};
use pingora::server::configuration::ServerConf;
use pingora::server::{Fds, ShutdownWatch};
use pingora::services::Service as _;
use tokio::sync::watch;

use super::Wire;
use crate::gateway::Gateway;

/// Longer than a busy machine needs to accept one connection.
const HAND_OUT_MAX: Duration = Duration::from_secs(10);

pub type Proxy = HttpProxy<Gateway, Wire>;

/// What callers' connections are served by: the proxy, under the options that hold for them.
pub struct Door {
    pub proxy: Arc<Proxy>,
    pub options: HttpServerOptions,
    pub http2: H2Options,
}

#[async_trait]
impl HttpServerApp for Door {
    /// The proxy's own future, not one around it: a session is large, and would be moved once more for each request.
    fn process_new_http<'a, 'b, 'c>(
        self: &'a Arc<Self>,
        session: ServerSession,
        shutdown: &'b ShutdownWatch,
    ) -> BoxFuture<'c, Option<ReusedHttpStream>>
    where
        'a: 'c,
        'b: 'c,
    {
        self.proxy.process_new_http(session, shutdown)
    }

    fn h2_options(&self) -> Option<H2Options> {
        Some(self.http2.clone())
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.options)
    }

    async fn http_cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}

/// Makes the proxy. Blocks for as long as one connection to ourselves takes; not to be called where tasks run.
pub fn proxy(gateway: Gateway, conf: &Arc<ServerConf>) -> anyhow::Result<Arc<Proxy>> {
    let (hand_out, found) = mpsc::sync_channel(1);
    let take_out: ProcessCustomSession<Gateway, Wire> = Arc::new(move |proxy, _, _| {
        hand_out.try_send(proxy).ok(); // a second one would be the same
        Box::pin(std::future::ready(None))
    });
    let mut options = HttpServerOptions::default();
    options.force_custom = true; // each connection comes to `take_out`
    let wire = Wire::new(ConnectorOptions::from_server_conf(conf));
    let mut service = ProxyServiceBuilder::new(conf, gateway).custom(wire, take_out).server_options(options).build();
    // Answers go on as they came: the module that could compress them, which pingora puts there, costs each request five allocations.
    service.app_logic_mut().context("the service has its proxy")?.downstream_modules = HttpModules::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listening to ourselves")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    service.add_tcp(&address.to_string());
    let mut sockets = Fds::new();
    sockets.add(address.to_string(), listener.into_raw_fd());
    // The listener, and whatever the service has started, end with this runtime.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (_running, shutdown) = watch::channel(false);
    runtime.spawn(async move { service.start_service(Some(Arc::new(sockets.into())), shutdown, 1).await });
    let _own = TcpStream::connect(address).context("connecting to ourselves")?;
    let proxy = found.recv_timeout(HAND_OUT_MAX).context("pingora does not hand its proxy out")?;
    runtime.shutdown_timeout(HAND_OUT_MAX);
    Ok(proxy)
}
