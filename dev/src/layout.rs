//! Where things lie: the workspace, the built programs, and everything the launcher keeps under `.dev/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

#[derive(Clone)]
pub struct Layout {
    /// The workspace, where `Cargo.toml` and `.dev/` are.
    pub root: PathBuf,
    /// Cargo's target directory: the one this very program was built into, whatever the machine's settings say.
    pub target: PathBuf,
    /// Everything `cargo dev` keeps of one setup; `cargo dev reset` removes it.
    state: PathBuf,
}

impl Layout {
    pub fn find() -> Result<Layout> {
        let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest_dir.parent().context("the launcher lies in a workspace")?.to_owned();
        let program = std::env::current_exe().context("finding the launcher's own path")?;
        let target = program.ancestors().nth(2).context("the launcher lies in target/debug")?.to_owned();
        let state = root.join(".dev");
        Ok(Layout { root, target, state })
    }

    /// The same workspace with a setup of its own, beside the one that people use.
    pub fn aside(&self, name: &str) -> Layout {
        Layout { state: self.state.join(name), ..self.clone() }
    }

    /// Where the setup is kept.
    pub fn state(&self) -> PathBuf {
        self.state.clone()
    }

    /// What describes the running setup: generated settings, process ids, the report.
    pub fn run(&self) -> PathBuf {
        self.state().join("run")
    }

    pub fn log(&self, service: &str) -> PathBuf {
        self.state().join("logs").join(format!("{service}.log"))
    }

    pub fn program(&self, name: &str, release: bool) -> PathBuf {
        self.target.join(if release { "release" } else { "debug" }).join(name)
    }
}
