//! Who runs Postgres: ourselves, or the user postgres where we are root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

pub struct Owner {
    /// Set only where we are root.
    ids: Option<(u32, u32)>,
}

impl Owner {
    pub fn find() -> Result<Owner> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Owner { ids: None });
        }
        Ok(Owner { ids: Some((id_of_postgres("-u")?, id_of_postgres("-g")?)) })
    }

    pub fn run_as(&self, command: &mut Command) {
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
    }

    pub fn give(&self, path: &Path) -> Result<()> {
        let Some((user, group)) = self.ids else { return Ok(()) };
        chown(path, Some(user), Some(group)).with_context(|| format!("giving {} to the user postgres", path.display()))
    }

    /// Whether this user can come as far as `dir`, whose parents may not exist yet: a clone below `/root` is closed to
    /// the user postgres.
    pub fn can_reach(&self, dir: &Path) -> bool {
        let Some((user, group)) = self.ids else { return true };
        dir.ancestors().skip(1).filter_map(|parent| fs::metadata(parent).ok()).all(|meta| {
            let class = match (meta.uid() == user, meta.gid() == group) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            meta.mode() & class != 0
        })
    }
}

fn id_of_postgres(which: &str) -> Result<u32> {
    let output = Command::new("id").args([which, "postgres"]).output().context("running id")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().context("we are root, Postgres refuses root, and there is no user postgres to run it as")
}
