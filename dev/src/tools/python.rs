//! Python, and its pip: what tests need out of wheels is fetched by their digests, and by nothing else.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::install::to_stderr;
use super::{in_path, install_missing};
use crate::{process, words};

/// Has pip do `command` with what `wanted` names, each with its version and its digests; the list stands in `home`. pip itself is installed
/// first where it is not here.
pub fn pip(what: &str, command: &[&str], wanted: &str, home: &Path) -> Result<()> {
    if in_path("python3").is_none() || !python(&["-m", "pip", "--version"], false)? {
        install_missing(&["python3-pip"])?;
    }
    words::step(&format!("fetching {what} for the tests that need it"));
    fs::create_dir_all(home).with_context(|| format!("making {}", home.display()))?;
    let list = home.join("wanted.txt");
    fs::write(&list, wanted).with_context(|| format!("writing {}", list.display()))?;
    let list = list.display().to_string();
    let rules = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", &list];
    let ask: Vec<&str> = ["-m", "pip"].iter().chain(command).chain(&rules).copied().collect();
    if !python(&ask, true)? {
        bail!("pip could not fetch {what}; what it said stands above");
    }
    Ok(())
}

/// Runs it; whether it succeeded.
pub fn python(args: &[&str], aloud: bool) -> Result<bool> {
    let mut command = Command::new("python3");
    command.args(args).stdout(to_stderr()?);
    if !aloud {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    Ok(process::run(command)?.success())
}
