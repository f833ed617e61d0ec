//! Debian's Prometheus: the server, and `promtool`, which checks rules and runs their tests.

use std::path::PathBuf;

use anyhow::Result;

use super::debian;

pub struct Programs {
    pub server: PathBuf,
    pub promtool: PathBuf,
}

/// Both, installed first where they are not here and that is possible.
pub fn programs() -> Result<Programs> {
    Ok(Programs { server: debian("prometheus", "prometheus")?, promtool: debian("promtool", "prometheus")? })
}
