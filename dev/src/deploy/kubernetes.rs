//! The manifests: put together as kubectl does it, and held against Kubernetes' own schemas, of the oldest and the newest version that is meant.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::settings::Secrets;
use super::{home, satisfied};
use crate::files;
use crate::layout::Layout;
use crate::tools::here;
use crate::tools::kubernetes::{VALIDATOR, kubectl};

/// `sleep` before a stop came with 1.30.
const VERSIONS: [&str; 2] = ["1.30", "1.37"];

pub fn check(layout: &Layout, secrets: &Secrets) -> Result<()> {
    let tools = (here("kubectl", kubectl(layout))?, here("kubernetes-validate", VALIDATOR.fetch(layout))?);
    let (Some(kubectl), Some(validator)) = tools else { return Ok(()) };
    // kustomize reads nothing outside of its directory, so it has a copy of what an installation puts there.
    let copy = layout.target.join("deploy-kubernetes");
    files::remove_dir(&copy)?;
    let from = home(layout);
    for part in ["base", "example"] {
        for file in files::with_ending(&from.join("kubernetes").join(part), "yaml")? {
            put(&file, &copy.join(part))?;
        }
    }
    for file in ["postgres/grants.sql", "redis/redis.conf"] {
        put(&from.join(file), &copy.join("example"))?;
    }
    for entry in fs::read_dir(&secrets.directory).context("reading what make-secrets.sh made")?.flatten() {
        put(&entry.path(), &copy.join("example/secrets"))?;
    }
    let manifests = satisfied("kubectl kustomize", Command::new(kubectl).arg("kustomize").arg(copy.join("example")))?;
    let whole = copy.join("manifests.yaml");
    fs::write(&whole, &manifests).context("writing the manifests")?;
    for word in
        ["kind: Deployment", "kind: HorizontalPodAutoscaler", "kind: NetworkPolicy", "kind: PodDisruptionBudget"]
    {
        ensure!(manifests.contains(word), "no {word} is in the manifests");
    }
    for version in VERSIONS {
        let mut command = Command::new("python3");
        command.args(["-m", "kubernetes_validate", "--strict", "--kubernetes-version", version]).arg(&whole);
        command.env("PYTHONPATH", &validator);
        satisfied(&format!("the schemas of Kubernetes {version}"), &mut command)?;
    }
    files::remove_dir(&copy)
}

fn put(file: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into).with_context(|| format!("making {}", into.display()))?;
    let name = file.file_name().context("a file has a name")?;
    fs::copy(file, into.join(name)).with_context(|| format!("copying {}", file.display())).map(drop)
}
