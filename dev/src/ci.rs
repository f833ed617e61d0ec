//! `cargo dev ci`: what CI runs, cheap things first; the first failure ends it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::cli::{Length, ProveWish, SizesWish};
use crate::layout::Layout;
use crate::suite::{self, Beside, Scale};
use crate::{
    build, deploy, explore, fuzz, limits, loadtest, process, prometheus, prove, sbom, sizes, tools, walls, words,
};

const FORMAT: [&str; 3] = ["fmt", "--all", "--check"];
/// `--locked`: a lock file that does not fit the manifests is found here, not on a newcomer's machine.
const CLIPPY: [&str; 7] = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
/// For each target. Enough to go through what was kept and to find what is easily found.
const FUZZ_SECONDS: u32 = 10;
const FUZZ_SECONDS_FULL: u32 = 120;

/// Enough for a few faults; the seed is always the same, so that what fails here can be had again.
const PROVE: Duration = Duration::from_secs(25);
const PROVE_FULL: Duration = Duration::from_mins(10);

pub fn run(layout: &Layout, scale: &Scale) -> Result<ExitCode> {
    cargo(layout, &FORMAT)?;
    limits::check(layout)?;
    // Clippy compiles the dependencies, and one of them is built by cmake.
    tools::servers()?;
    prometheus::check_in_ci(layout)?;
    cargo(layout, &CLIPPY)?;
    walls::check(layout)?;
    explore::check(layout, matches!(scale, Scale::Full))?;
    fuzz::run(layout, None, if matches!(scale, Scale::Full) { FUZZ_SECONDS_FULL } else { FUZZ_SECONDS })?;
    // Valkey comes from a registry that is neither Debian's nor Rust's: a usual run does without where that can't be reached, and says so.
    let beside = if matches!(scale, Scale::Full) { Beside::Must } else { Beside::IfItCan };
    let tested = suite::run(layout, scale, beside, &[])?;
    if tested != ExitCode::SUCCESS {
        return Ok(tested);
    }
    sbom::check(layout)?;
    prometheus::scrape_in_ci(layout)?;
    deploy::check_in_ci(layout)?;
    let length = if matches!(scale, Scale::Full) { PROVE_FULL } else { PROVE };
    let proven = prove::run(layout, &ProveWish { minutes: Length(length), ..ProveWish::default() })?;
    if proven != ExitCode::SUCCESS {
        return Ok(proven);
    }
    if matches!(scale, Scale::Full) {
        sizes::run(layout, &SizesWish { accounts: 1_000, seconds: 2, as_built: true, json: false })?;
    }
    loadtest::smoke(layout)
}

fn cargo(layout: &Layout, args: &[&str]) -> Result<()> {
    words::step(&format!("cargo {}", args.join(" ")));
    let mut command = build::cargo(layout);
    command.args(args);
    let status = process::run(command)?;
    if !status.success() {
        bail!("cargo {} failed ({status})", args.join(" "));
    }
    Ok(())
}
