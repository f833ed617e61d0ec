//! The walls between the crates, kept by cargo-deny, and the proof that it sees each of them broken.

mod broken;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::{build, process, words};
use broken::{BROKEN, Copy};

const VERSION: &str = "0.20.2";

/// Checks licences, sources and walls; then breaks each wall in a copy of the workspace and expects a refusal.
pub fn check(layout: &Layout) -> Result<()> {
    let program = cargo_deny(layout)?;
    fetch(layout)?;
    words::step("cargo deny check bans licenses sources");
    let output = deny(&program, &layout.root, &["bans", "licenses", "sources"])?;
    if !output.status.success() {
        bail!("cargo deny refuses:\n{}", said(&output));
    }
    words::step(&format!("breaking {} walls in a copy", BROKEN.len()));
    for arrow in BROKEN {
        let copy = Copy::with(layout, arrow)?;
        let output = deny(&program, copy.root(), &["bans"])?;
        let what = format!("{} → {}", arrow.from, arrow.to);
        let seen = said(&output);
        if output.status.success() || !seen.contains(arrow.reason) {
            bail!("the wall against {what} does not hold; cargo deny said:\n{seen}");
        }
        words::note(&format!("{what} is refused: {}", arrow.reason));
    }
    Ok(())
}

/// The checker reads the crates of every platform, and a build has fetched only those of this one.
fn fetch(layout: &Layout) -> Result<()> {
    words::step("cargo fetch --locked");
    let mut command = build::cargo(layout);
    command.args(["fetch", "--locked"]);
    let status = process::run(command)?;
    if !status.success() {
        bail!("the crates of the lock file could not be fetched ({status})");
    }
    Ok(())
}

fn deny(program: &Path, root: &Path, checks: &[&str]) -> Result<Output> {
    let mut command = Command::new(program);
    // A wrapper that is not in the tree is on purpose: it is how a crate is kept without dependents.
    command.args(["--offline", "check", "--hide-inclusion-graph", "--allow", "unused-wrapper"]).args(checks);
    command.current_dir(root).output().context("running cargo deny")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The checker, built once into the target directory.
pub fn cargo_deny(layout: &Layout) -> Result<PathBuf> {
    let tools = layout.target.join("tools");
    let program = tools.join("bin/cargo-deny");
    let version = Command::new(&program).arg("--version").output();
    if version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(VERSION)) {
        return Ok(program);
    }
    words::step(&format!("installing cargo-deny {VERSION} into {}", tools.display()));
    let mut command = build::cargo(layout);
    // A debug build takes a quarter of the time, and the check itself takes seconds.
    command.args(["install", "--locked", "--debug", "cargo-deny", "--version", VERSION, "--root"]).arg(&tools);
    let status = process::run(command)?;
    if !status.success() {
        bail!("cargo-deny could not be installed ({status})");
    }
    Ok(program)
}
