//! Debian's Prometheus: the server, and `promtool`, which checks rules and runs their tests.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{in_path, install_missing};

pub struct Programs {
    pub server: PathBuf,
    pub promtool: PathBuf,
}

/// Both, installed first where they are not here and that is possible.
pub fn programs() -> Result<Programs> {
    if in_path("prometheus").is_none() || in_path("promtool").is_none() {
        install_missing(&["prometheus"])?;
    }
    let find = |name: &str| in_path(name).with_context(|| format!("{name} is not in PATH"));
    Ok(Programs { server: find("prometheus")?, promtool: find("promtool")? })
}
