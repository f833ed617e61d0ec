//! `cargo dev sbom`: the bill of materials of what is delivered, made by the program of that name (`dev/sbom`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::{build, process, words};

pub fn run(layout: &Layout, out: Option<&Path>) -> Result<ExitCode> {
    let out = match out {
        Some(out) => std::path::absolute(out).context("where the bill goes")?,
        None => usual(layout),
    };
    make(layout, &out)?;
    Ok(ExitCode::SUCCESS)
}

/// That there can be one: every package has a licence that is known, a digest where it came from the registry, and the bill keeps the rules
/// of its form.
pub fn check(layout: &Layout) -> Result<()> {
    make(layout, &usual(layout))
}

fn usual(layout: &Layout) -> PathBuf {
    layout.target.join("sbom").join("tollgate.cdx.json")
}

fn make(layout: &Layout, out: &Path) -> Result<()> {
    // With the features of the whole workspace: nothing that others need is compiled once more.
    build::workspace(layout, &["--bin", "sbom"])?;
    if let Some(dir) = out.parent() {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    }
    words::step("the bill of materials");
    let mut command = Command::new(layout.program("sbom", false));
    command.arg("--root").arg(&layout.root).arg("--out").arg(out);
    let status = process::run(command)?;
    if !status.success() {
        bail!("no bill of materials could be made ({status}); what it lacks stands above");
    }
    Ok(())
}
