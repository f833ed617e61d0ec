//! Passwords, certificates and settings as `make-secrets.sh` makes them, and whether each program takes its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{home, satisfied};
use crate::files;
use crate::layout::Layout;

const PROGRAMS: [&str; 6] = ["gateway", "ledger-sync", "webhook", "console", "notices", "tollgate"];

/// What an installation keeps to itself, in a directory of its own that goes with this value.
pub struct Secrets {
    pub directory: PathBuf,
}

impl Secrets {
    pub fn make(layout: &Layout) -> Result<Secrets> {
        let secrets = Secrets { directory: layout.target.join("deploy-secrets") };
        files::remove_dir(&secrets.directory)?;
        let ca = format!("ca-file={}", secrets.directory.join("ca.pem").display());
        let mut script = Command::new(home(layout).join("make-secrets.sh"));
        satisfied("make-secrets.sh", script.arg(&secrets.directory).arg(ca))?;
        Ok(secrets)
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        // Found again, and removed, by the next run.
        let _ = files::remove_dir(&self.directory);
    }
}

pub fn check(layout: &Layout, secrets: &Secrets) -> Result<()> {
    for program in PROGRAMS {
        let mut command = Command::new(layout.program(program, false));
        command.arg("--config").arg(secrets.directory.join(program).with_extension("toml")).arg("--check");
        satisfied(&format!("{program} --check"), &mut command)?;
    }
    let mut migrate = Command::new(layout.program("tollgate", false));
    migrate.arg("--config").arg(secrets.directory.join("migrate.toml")).arg("--check");
    satisfied("tollgate --check, of migrate.toml", &mut migrate).map(drop)
}
