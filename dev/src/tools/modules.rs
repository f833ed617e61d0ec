//! Python's modules out of wheels, for tests: fetched by pip, by their digests, into cargo's target directory.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::python::pip;
use crate::layout::Layout;

pub struct Modules {
    pub package: &'static str,
    pub version: &'static str,
    /// What pip checks the wheels against: the package and all that it stands on, each with its version.
    pub wanted: &'static str,
}

impl Modules {
    /// Their directory, for `PYTHONPATH`; fetched first where it is not here.
    pub fn fetch(&self, layout: &Layout) -> Result<PathBuf> {
        let home = layout.target.join("tools").join(format!("{}-{}", self.package, self.version));
        let modules = home.join("modules");
        if modules.is_dir() {
            return Ok(modules);
        }
        let parcel = home.join("parcel");
        let _ = fs::remove_dir_all(&parcel); // half of it may be there
        let into = parcel.display().to_string();
        pip(self.package, &["install", "--root-user-action=ignore", "--target", &into], self.wanted, &home)?;
        // In one step, so that nobody takes half of it for the whole.
        fs::rename(&parcel, &modules).with_context(|| format!("writing {}", modules.display()))?;
        Ok(modules)
    }

    /// Whether the version is the one that is wanted.
    #[cfg(test)]
    pub fn agrees_with_itself(&self) -> bool {
        self.wanted.lines().any(|line| line.starts_with(&format!("{}=={} ", self.package, self.version)))
    }
}
