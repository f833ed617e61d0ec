//! What runs at the moment, as a later `cargo dev` finds it: `.dev/run/state.json`.

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::layout::Layout;
use crate::process::Record;
use crate::report::Report;

#[derive(Serialize, Deserialize)]
pub struct State {
    pub wish: Wish,
    /// The launcher, if it waits in a terminal; it stops everything when it is asked to.
    pub launcher: Option<Record>,
    /// In the order they were started.
    pub services: Vec<(String, Record)>,
    /// Set once everything is healthy.
    pub report: Option<Report>,
}

/// How `up` was asked for; another wish needs a restart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    pub release: bool,
    pub upstream: Option<String>,
    pub no_fault_upstream: bool,
}

impl State {
    pub fn load(layout: &Layout) -> Result<Option<State>> {
        files::read_json(&path(layout))
    }

    pub fn save(&self, layout: &Layout) -> Result<()> {
        files::write_json(&path(layout), self)
    }

    pub fn forget(layout: &Layout) {
        // Nothing to forget is as good.
        let _ = fs::remove_file(path(layout));
    }

    /// Whether it was healthy and all of it still lives.
    pub fn is_whole(&self) -> bool {
        self.report.is_some() && self.services.iter().all(|(_, record)| record.alive())
    }

    pub fn any_alive(&self) -> bool {
        self.services.iter().any(|(_, record)| record.alive())
    }
}

fn path(layout: &Layout) -> PathBuf {
    layout.run().join("state.json")
}

/// Held while one launcher starts things, so that two can't start the same ones.
pub fn lock(layout: &Layout) -> Result<File> {
    files::make_dir(&layout.state(), 0o755)?;
    files::make_dir(&layout.run(), 0o700)?;
    let file = File::create(layout.run().join("lock")).context("opening the launcher's lock")?;
    if file.try_lock().is_err() {
        bail!("another cargo dev is starting or stopping things in this workspace");
    }
    Ok(file)
}
