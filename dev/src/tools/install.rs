//! Installing what is missing by apt-get, where we may; the exact command to type, where we may not.

use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{process, words};

/// Installs Debian packages when this is root on Debian or Ubuntu; otherwise fails with the command to type.
pub fn install_missing(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if super::in_path("apt-get").is_none() {
        bail!(
            "not found on this machine: {list}. Install them with its package manager (on macOS: brew install redis postgresql cmake) and run this again"
        );
    }
    if !rustix::process::geteuid().is_root() {
        bail!(
            "not found on this machine: {list}. Install them with: sudo apt-get install -y --no-install-recommends {list}"
        );
    }
    words::step(&format!("installing {list} by apt-get"));
    apt_get(&["update", "--quiet"])?;
    let mut args = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    args.extend(packages);
    apt_get(&args)
}

fn apt_get(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(to_stderr()?);
    let status = process::run(command)?;
    if !status.success() {
        bail!("apt-get {} failed ({status}); what it said stands above", args.join(" "));
    }
    Ok(())
}

/// Our stdout holds results only, so other programs' talk goes to stderr.
pub fn to_stderr() -> Result<Stdio> {
    let copy = std::io::stderr().as_fd().try_clone_to_owned().context("sharing stderr")?;
    Ok(Stdio::from(copy))
}
