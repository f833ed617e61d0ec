//! Free ports on loopback, kept from one `up` to the next so that a copied command line goes on working.

use std::net::TcpListener;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::layout::Layout;
use crate::{files, words};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ports {
    pub gateway: u16,
    pub gateway_admin: u16,
    pub ledger_sync_admin: u16,
    pub upstream: u16,
    pub redis: u16,
    pub postgres: u16,
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

    pub fn pretend_upstream(&self) -> String {
        format!("http://127.0.0.1:{}", self.upstream)
    }

    fn each(&mut self) -> [(&'static str, &mut u16); 6] {
        [
            ("gateway", &mut self.gateway),
            ("gateway_admin", &mut self.gateway_admin),
            ("ledger_sync_admin", &mut self.ledger_sync_admin),
            ("upstream", &mut self.upstream),
            ("redis", &mut self.redis),
            ("postgres", &mut self.postgres),
        ]
    }
}

/// A port nobody listens on at this moment.
pub fn free() -> Result<u16> {
    let listener = hold(0).context("looking for a free port")?;
    Ok(listener.local_addr().context("reading a port")?.port())
}

/// The wanted port if it is free, else another; 0 wants none in particular.
fn hold(wanted: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", wanted)).or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
}
