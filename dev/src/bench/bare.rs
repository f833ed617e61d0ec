//! The bare pingora beside the gateway: a proxy hop and nothing else.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use crate::layout::Layout;
use crate::ports;
use crate::process::{Record, Service};

pub struct Bare {
    service: Service,
    port: u16,
}

impl Bare {
    /// Starts it before `upstream` (host:port), with so many threads (0 = one per core), and waits until it listens.
    pub fn start(layout: &Layout, upstream: &str, threads: usize) -> Result<Bare> {
        let port = ports::free()?;
        let mut command = Command::new(layout.program("examples/bare_proxy", true));
        command.args(["--listen", &format!("127.0.0.1:{port}"), "--upstream", upstream]);
        command.args(["--threads", &threads.to_string()]);
        let mut service = Service::start("bare-proxy", command, &layout.log("bare-proxy"), Signal::KILL)?;
        service.wait_ready(Duration::from_secs(20), || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Bare { service, port })
    }

    pub fn url(&self) -> String {
        ports::local(self.port)
    }

    pub fn record(&self) -> &Record {
        &self.service.record
    }
}
