//! pingora with nothing in it: what a hop costs before anything is metered. `bench` runs it beside the gateway.
//!
//! Same allocator, same build flags, same threads: `bare_proxy --listen 127.0.0.1:8081 --upstream 127.0.0.1:7070`.

use std::net::SocketAddr;

use async_trait::async_trait;
use clap::Parser;
use pingora::Result;
use pingora::prelude::HttpPeer;
use pingora::proxy::{ProxyHttp, Session, http_proxy_service_with_name};
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A proxy that does nothing but forward.
#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "IP:PORT")]
    listen: SocketAddr,
    #[arg(long, value_name = "IP:PORT")]
    upstream: SocketAddr,
    /// Worker threads; 0 = one per core, as the gateway's.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

struct Bare {
    upstream: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _session: &mut Session, _context: &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream, false, String::new())))
    }
}

fn main() {
    let Arguments { listen, upstream, threads } = Arguments::parse();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let own = |ending: &str| {
        let name = format!("tollgate-bare-proxy-{}.{ending}", std::process::id());
        std::env::temp_dir().join(name).display().to_string()
    };
    let conf = ServerConf {
        threads: if threads == 0 { cores } else { threads },
        work_stealing: true,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        upstream_keepalive_pool_size: 512,
        pid_file: own("pid"),
        upgrade_sock: own("sock"),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut proxy = http_proxy_service_with_name(&server.configuration, Bare { upstream }, "bare proxy");
    proxy.add_tcp(&listen.to_string());
    server.add_service(proxy);
    server.run(RunArgs::default());
}
