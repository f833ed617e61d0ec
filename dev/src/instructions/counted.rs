//! A program under callgrind, and what it has counted.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::bench::{Load, QUIET, Target, Window};
use crate::layout::Layout;
use crate::process::Service;
use crate::{http, ports};

/// Everything is some fifty times as slow.
const READY_LIMIT: Duration = Duration::from_mins(2);
/// Connections, caches, and the code that runs once.
const WARM_UP: Duration = Duration::from_secs(5);

pub struct Counted {
    service: Service,
    /// Where it takes requests.
    pub port: u16,
}

impl Counted {
    /// A second gateway of the setup, on ports of its own. One worker: threads take turns under callgrind.
    pub fn gateway(layout: &Layout) -> Result<Counted> {
        let (port, admin) = (ports::free()?, ports::free()?);
        let address = |port: u16| format!("127.0.0.1:{port}");
        let mut command = counting(layout, &layout.program("gateway", true), "gateway");
        command.arg("--config").arg(layout.run().join("gateway.toml")).envs(QUIET.iter().copied());
        command.env("TOLLGATE_GATEWAY_LISTEN", address(port)).env("TOLLGATE_GATEWAY_ADMIN_LISTEN", address(admin));
        command.env("TOLLGATE_GATEWAY_THREADS", "1");
        let service = Service::start("gateway", command, &layout.log("gateway-counted"), Signal::TERM)?;
        Self::ready(service, port, || http::is_good(admin, "/readyz"))
    }

    /// A bare pingora before `upstream` (host:port).
    pub fn bare(layout: &Layout, upstream: &str) -> Result<Counted> {
        let port = ports::free()?;
        let mut command = counting(layout, &layout.program("examples/bare_proxy", true), "bare-proxy");
        command.args(["--listen", &format!("127.0.0.1:{port}"), "--upstream", upstream, "--threads", "1"]);
        let service = Service::start("bare-proxy", command, &layout.log("bare-proxy-counted"), Signal::TERM)?;
        Self::ready(service, port, || TcpStream::connect(("127.0.0.1", port)).is_ok())
    }

    fn ready(mut service: Service, port: u16, is_ready: impl FnMut() -> bool) -> Result<Counted> {
        service.wait_ready(READY_LIMIT, is_ready)?;
        Ok(Counted { service, port })
    }

    /// Instructions a request, over a load of so long on so many connections.
    pub fn a_request(&self, load: &Load, target: &Target, connections: u32, seconds: Duration) -> Result<f64> {
        load.run(target, connections, WARM_UP)?;
        let before = self.so_far()?;
        let window = Window::measure(load, target, connections, seconds, &[])?;
        Ok((self.so_far()? - before) / f64::from(window.requests))
    }

    /// What callgrind has counted so far.
    fn so_far(&self) -> Result<f64> {
        let mut command = Command::new("callgrind_control");
        let output =
            command.arg("-e").arg(self.service.record.pid.to_string()).output().context("callgrind_control")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "callgrind_control failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        read_total(&text).with_context(|| format!("callgrind_control said: {}", text.trim()))
    }
}

fn counting(layout: &Layout, program: &Path, name: &str) -> Command {
    let mut command = Command::new("valgrind");
    let profile = layout.log(&format!("callgrind-{name}"));
    command
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program);
    command
}

/// The instructions of all threads in the words of `callgrind_control -e`: a line `Th 6  254,535,344` each.
fn read_total(text: &str) -> Option<f64> {
    let threads = text.lines().filter_map(|line| line.trim().strip_prefix("Th "));
    let counts = threads.map(|line| line.split_whitespace().nth(1)?.replace(',', "").parse::<f64>().ok());
    let total: f64 = counts.sum::<Option<f64>>()?;
    (total > 0.0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::read_total;

    #[test]
    fn what_callgrind_counted_is_the_sum_over_its_threads() {
        let said = "PID 7: gateway\nsending command status internal to pid 7\n\n  Totals:         Ir \n   Th 1   43,161,931 \n   Th 12      406,690 \n";
        assert_eq!(read_total(said), Some(43_568_621.0));
        assert_eq!((read_total("Error: no such process"), read_total("   Th 1   x")), (None, None));
    }
}
