//! Calling cargo from a program that cargo itself started.

use std::process::Command;

use anyhow::{Result, bail};

use crate::layout::Layout;
use crate::{process, words};

/// A cargo command in the workspace. What `cargo run` set for us is taken out again: it describes the launcher's
/// package, and a build script that watches it would run anew each time.
pub fn cargo(layout: &Layout) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(&layout.root);
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| ours.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// What is measured, and all that measures it. One set of targets for everybody: with others, features of shared crates change, and the next
/// command would compile everything anew.
pub fn release(layout: &Layout) -> Result<()> {
    workspace(layout, &["--release", "--bins", "--examples"])
}

/// What a house runs.
pub fn house(layout: &Layout, optimized: bool) -> Result<()> {
    if optimized { release(layout) } else { workspace(layout, &[]) }
}

/// Builds the whole workspace, always: building one package alone turns on other features of shared crates, and
/// going back and forth compiles them again each time.
pub fn workspace(layout: &Layout, extra: &[&str]) -> Result<()> {
    words::step(&format!("cargo build --workspace {}", extra.join(" ")));
    let mut command = cargo(layout);
    command.args(["build", "--workspace"]).args(extra);
    let status = process::run(command)?;
    if !status.success() {
        bail!("the build failed ({status}); the compiler's messages stand above");
    }
    Ok(())
}
