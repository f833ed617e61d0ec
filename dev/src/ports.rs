//! Free ports on loopback.

use std::net::TcpListener;

use anyhow::{Context, Result};

/// A port nobody listens on at this moment.
pub fn free() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port")?;
    Ok(listener.local_addr().context("reading a port")?.port())
}
