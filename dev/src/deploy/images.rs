//! The image's Dockerfile and what runs it on one machine.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::settings::Secrets;
use super::{home, satisfied};
use crate::files;
use crate::layout::Layout;
use crate::tools::{self, debian, here};

pub fn check(layout: &Layout, secrets: &Secrets) -> Result<()> {
    let home = home(layout);
    if let Some(hadolint) = here("hadolint", tools::hadolint::fetch(layout))? {
        satisfied("hadolint", Command::new(hadolint).arg("--failure-threshold=style").arg(home.join("Dockerfile")))?;
    }
    if let Some(compose) = here("docker-compose", debian("docker-compose", "docker-compose"))? {
        // Beside secrets, as people run it.
        let copy = layout.target.join("deploy-compose");
        files::remove_dir(&copy)?;
        fs::create_dir_all(&copy).context("making a place for compose.yaml")?;
        fs::copy(home.join("compose.yaml"), copy.join("compose.yaml")).context("copying compose.yaml")?;
        std::os::unix::fs::symlink(&secrets.directory, copy.join("secrets")).context("putting secrets beside it")?;
        let mut command = Command::new(compose);
        command.arg("--file").arg(copy.join("compose.yaml")).args(["config", "--quiet"]);
        satisfied("docker-compose config", &mut command)?;
        files::remove_dir(&copy)?;
    }
    Ok(())
}
