//! `cargo dev explore`: the protocol between live state and book, gone through in every order that its scopes allow.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::layout::Layout;
use crate::{build, process, words};

/// How large: the program that takes minutes is worth optimising.
const RELEASE_FOR: &str = "--full";

/// Builds the explorer and runs it; what is asked goes to it as it is.
pub fn run(layout: &Layout, args: &[String]) -> Result<ExitCode> {
    let release = args.iter().any(|arg| arg == RELEASE_FOR);
    build(layout, release)?;
    words::step(&format!("explorer {}", args.join(" ")));
    let mut command = Command::new(layout.program("explorer", release));
    command.args(args).current_dir(&layout.root);
    let status = process::run(command)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// As part of CI: anything but what is expected ends it.
pub fn check(layout: &Layout, full: bool) -> Result<()> {
    let args = if full { vec![RELEASE_FOR.to_owned()] } else { Vec::new() };
    if run(layout, &args)? != ExitCode::SUCCESS {
        bail!("the explorer found something else than what is expected; it stands above");
    }
    Ok(())
}

/// It depends on nothing, so building it alone changes nothing for the rest.
fn build(layout: &Layout, release: bool) -> Result<()> {
    let mut command = build::cargo(layout);
    command.args(["build", "--locked", "--package", "explorer"]).args(release.then_some("--release"));
    let status = process::run(command)?;
    if !status.success() {
        bail!("the explorer could not be built ({status}); the compiler's messages stand above");
    }
    Ok(())
}
