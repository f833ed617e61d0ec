//! `cargo dev deploy`: every file of `deploy/` is held against the program that will read it, and the three-node installation is walked through.
//!
//! Images can't be built here, and no cluster is there to take manifests: what reads them says whether it would.

mod files;
mod images;
mod kubernetes;
mod settings;
mod units;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::cli::Deploy;
use crate::layout::Layout;
use crate::tools::{self, Tools};
use crate::{build, process, words};
use settings::Secrets;

pub fn run(layout: &Layout, what: &Deploy) -> Result<ExitCode> {
    build::workspace(layout, &[])?;
    match what {
        Deploy::Check => check(layout)?,
        Deploy::Walkthrough => walk_through(layout)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What CI runs, of programs that are built.
pub fn check_in_ci(layout: &Layout) -> Result<()> {
    check(layout)?;
    walk_through(layout)
}

fn check(layout: &Layout) -> Result<()> {
    words::step("the files of deploy/, each by the program that reads it");
    let home = home(layout);
    files::each_is_checked(&home)?;
    let secrets = Secrets::make(layout)?;
    settings::check(layout, &secrets)?;
    images::check(layout, &secrets)?;
    kubernetes::check(layout, &secrets)?;
    units::check(layout)
}

/// Redis, Postgres with its roles, TLS, backup and restore are checked here: by use.
fn walk_through(layout: &Layout) -> Result<()> {
    words::step("the walkthrough of deploy/README.md: three nodes, one dies, the book is lost and put back");
    let Tools { redis_server, postgres_bin } = tools::servers()?;
    let mut command = Command::new(home(layout).join("walkthrough.sh"));
    command.arg(layout.target.join("debug")).env("REDIS_SERVER", redis_server).env("PG_BIN", postgres_bin);
    ensure!(process::run(command)?.success(), "the walkthrough failed; what it says stands above");
    Ok(())
}

fn home(layout: &Layout) -> PathBuf {
    layout.root.join("deploy")
}

/// Runs it to its end; what it said is the error when it does not like something.
fn satisfied(what: &str, command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {}", command.get_program().display()))?;
    let said = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).trim().to_owned();
    ensure!(output.status.success(), "{what}:\n{said}");
    words::note(&format!("{what}: good"));
    Ok(said)
}
