//! Python's modules out of wheels, for tests: fetched by pip, by their digests, into cargo's target directory.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::wheel::python;
use super::{in_path, install_missing};
use crate::layout::Layout;
use crate::words;

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
        if in_path("python3").is_none() || !python(&["-m", "pip", "--version"], false)? {
            install_missing(&["python3-pip"])?;
        }
        words::step(&format!("fetching {} for the test that needs it", self.package));
        let (wanted, parcel) = (home.join("wanted.txt"), home.join("parcel"));
        let _ = fs::remove_dir_all(&parcel); // half of it may be there
        fs::create_dir_all(&home).with_context(|| format!("making {}", home.display()))?;
        fs::write(&wanted, self.wanted).with_context(|| format!("writing {}", wanted.display()))?;
        let (wanted, into) = (wanted.display().to_string(), parcel.display().to_string());
        let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
        let rest = ["--root-user-action=ignore", "--requirement", &wanted, "--target", &into];
        let ask: Vec<&str> = install.into_iter().chain(rest).collect();
        if !python(&ask, true)? {
            bail!("pip could not fetch {}; what it said stands above", self.package);
        }
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
