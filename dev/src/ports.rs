//! Free ports on loopback, kept from one `up` to the next so that a copied command line goes on working.

use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::layout::Layout;
use crate::{files, words};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ports {
    pub gateway: u16,
    pub gateway_admin: u16,
    pub ledger_sync_admin: u16,
    pub webhook: u16,
    pub webhook_admin: u16,
    pub console: u16,
    pub console_admin: u16,
    pub notices_admin: u16,
    pub mailbox: u16,
    pub smtp: u16,
    pub stripe: u16,
    pub upstream: u16,
    pub redis: u16,
    pub postgres: u16,
    pub prometheus: u16,
}

impl Ports {
    /// Those of the last `up` that are still free, new ones for the rest.
    pub fn kept(layout: &Layout) -> Result<Ports> {
        let file = layout.state().join("ports.json");
        let mut ports: Ports = files::read_json(&file)?.unwrap_or_default();
        // All are held until all are chosen, so that no two get the same one.
        let mut held = Vec::new();
        for (name, port) in ports.each() {
            let listener = hold(*port).with_context(|| format!("looking for a free port for {name}"))?;
            let got = listener.local_addr().context("reading a port")?.port();
            if *port != 0 && *port != got {
                words::note(&format!("{name}: port {port} is taken by somebody else, using {got} from now on"));
            }
            *port = got;
            held.push(listener);
        }
        files::write_json(&file, &ports)?;
        Ok(ports)
    }

    pub fn gateway(&self) -> String {
        local(self.gateway)
    }

    pub fn console(&self) -> String {
        local(self.console)
    }

    pub fn pretend_upstream(&self) -> String {
        local(self.upstream)
    }

    pub fn pretend_stripe(&self) -> String {
        local(self.stripe)
    }

    fn each(&mut self) -> [(&'static str, &mut u16); 15] {
        [
            ("gateway", &mut self.gateway),
            ("gateway_admin", &mut self.gateway_admin),
            ("ledger_sync_admin", &mut self.ledger_sync_admin),
            ("webhook", &mut self.webhook),
            ("webhook_admin", &mut self.webhook_admin),
            ("console", &mut self.console),
            ("console_admin", &mut self.console_admin),
            ("notices_admin", &mut self.notices_admin),
            ("mailbox", &mut self.mailbox),
            ("smtp", &mut self.smtp),
            ("stripe", &mut self.stripe),
            ("upstream", &mut self.upstream),
            ("redis", &mut self.redis),
            ("postgres", &mut self.postgres),
            ("prometheus", &mut self.prometheus),
        ]
    }
}

/// The URL of what listens there.
pub fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The port of a URL.
pub fn of(url: &str) -> Result<u16> {
    let digits = url.rsplit_once(':').context("a URL with a port")?.1;
    let digits = digits.split_once('/').map_or(digits, |(digits, _)| digits);
    digits.parse().with_context(|| format!("the port in {digits}"))
}

/// A port nobody listens on at this moment.
pub fn free() -> Result<u16> {
    let listener = hold(0).context("looking for a free port")?;
    Ok(listener.local_addr().context("reading a port")?.port())
}

/// Ports that nobody listens on at this moment, below those that the system gives to connections: one of a service that is killed
/// and started again can't be taken meanwhile by somebody's connection.
pub fn lasting<const N: usize>(first: u16) -> Result<[u16; N]> {
    let mut held = Vec::new();
    let free =
        (first..LASTING_END).filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok().map(|held| (port, held)));
    let mut ports = [0; N];
    for (place, (port, listener)) in ports.iter_mut().zip(free) {
        *place = port;
        held.push(listener);
    }
    ensure!(held.len() == N, "fewer than {N} ports are free from {first} to {LASTING_END}");
    Ok(ports)
}

/// Linux gives connections ports from 32768 on.
const LASTING_END: u16 = 32_000;

/// The wanted port if it is free, else another; 0 wants none in particular.
fn hold(wanted: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", wanted)).or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_what_stands_behind_the_last_colon() {
        assert_eq!(of("redis://admin:word@127.0.0.1:6390").unwrap(), 6390);
        assert_eq!(of("postgres://tollgate:word@127.0.0.1:5433/tollgate").unwrap(), 5433);
        assert_eq!(of("http://127.0.0.1:9101").unwrap(), 9101);
        assert!(of("http:").is_err());
    }
}
