//! Finding the programs we need on this machine: redis-server and Postgres.

pub mod aiosmtpd;
pub mod browser;
pub mod envoy;
pub mod faketime;
pub mod hadolint;
mod install;
pub mod kubernetes;
mod modules;
pub mod nginx;
pub mod prometheus;
mod python;
pub mod schemathesis;
pub mod valkey;
mod wheel;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::words;

pub use install::install_missing;

#[derive(Clone, Debug)]
pub struct Tools {
    pub redis_server: PathBuf,
    /// The directory that holds initdb, postgres, psql and `pg_isready`.
    pub postgres_bin: PathBuf,
}

/// What Postgres needs to have in its directory.
const POSTGRES_PROGRAMS: [&str; 4] = ["initdb", "postgres", "psql", "pg_isready"];

/// Both servers, installed first where that is possible.
pub fn servers() -> Result<Tools> {
    let mut missing = Vec::new();
    if redis_server().is_none() {
        missing.push("redis-server");
    }
    if postgres_bin()?.is_none() {
        missing.push("postgresql");
    }
    // pingora's zlib is built by cmake and make, whatever features are on.
    missing.extend(["cmake", "make"].into_iter().filter(|program| in_path(program).is_none()));
    install_missing(&missing)?;
    Ok(Tools {
        redis_server: redis_server().context("redis-server is not in PATH; set REDIS_SERVER to it")?,
        postgres_bin: postgres_bin()?.context("Postgres' initdb is not in PATH; set PG_BIN to its directory")?,
    })
}

/// The Debian packages of those programs that are not here.
pub fn absent(programs: &[&'static str]) -> Vec<&'static str> {
    let package = |program: &&'static str| if program.starts_with("redis-") { "redis-tools" } else { *program };
    programs.iter().filter(|program| in_path(program).is_none()).map(package).collect()
}

fn redis_server() -> Option<PathBuf> {
    override_path("REDIS_SERVER").or_else(|| in_path("redis-server"))
}

/// `PG_BIN`, then `PATH`, then where Debian and Ubuntu keep the versions (outside `PATH`), the newest first.
fn postgres_bin() -> Result<Option<PathBuf>> {
    if let Some(dir) = override_path("PG_BIN") {
        if let Some(lacking) = POSTGRES_PROGRAMS.iter().find(|name| !dir.join(name).is_file()) {
            bail!("PG_BIN is {}, which holds no {lacking}", dir.display());
        }
        return Ok(Some(dir));
    }
    let by_path = in_path("initdb").and_then(|found| found.canonicalize().ok()?.parent().map(Path::to_owned));
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    found.sort_by_key(|bin| std::cmp::Reverse(version(bin)));
    found.extend(["/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from));
    let complete = |bin: &PathBuf| POSTGRES_PROGRAMS.iter().all(|name| bin.join(name).is_file());
    Ok(by_path.into_iter().chain(found).find(complete))
}

fn version(bin: &Path) -> u32 {
    bin.parent().and_then(|dir| dir.file_name()?.to_str()?.parse().ok()).unwrap_or(0)
}

/// What has to be here in CI, and is left out with a word where a developer's machine does not have it.
pub fn here<T>(what: &str, found: Result<T>) -> Result<Option<T>> {
    match found {
        Err(error) if std::env::var_os("CI").is_none() => {
            words::note(&format!("{what} is left out: {error:#}"));
            Ok(None)
        }
        found => found.map(Some),
    }
}

/// A program of one of Debian's packages, installed first where it is not here and that is possible.
pub fn debian(program: &'static str, package: &'static str) -> Result<PathBuf> {
    if in_path(program).is_none() {
        install_missing(&[package])?;
    }
    in_path(program).with_context(|| format!("{package} is installed, but {program} is not in PATH"))
}

pub fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

fn override_path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
