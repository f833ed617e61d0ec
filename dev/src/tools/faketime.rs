//! libfaketime, for tests that turn the clock of a store: Debian's package, a library that a program is started with.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::install_missing;

/// The one for programs with threads. Debian and Ubuntu keep it in the directory of the machine's architecture.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The library, installed first where it is not here and that is possible.
pub fn fetch() -> Result<PathBuf> {
    if here().is_none() {
        install_missing(&["libfaketime"])?;
    }
    here().context("libfaketime is installed, but not where Debian keeps it")
}

fn here() -> Option<PathBuf> {
    let directories = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    directories.map(|entry| entry.path().join(LIBRARY)).find(|library| library.is_file())
}
