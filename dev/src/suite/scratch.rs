//! The place of one test run, and the trace by which whatever it started is found again and stopped: what a test
//! forgot, and what a run left that was killed before it could tidy up.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::process::{Signal, geteuid};
use serde::{Deserialize, Serialize};

use crate::process::{self, Record};
use crate::{files, postgres, secret, words};

/// Every run's directory begins so, in the directory for temporary files.
const PREFIX: &str = "tollgate-test-";
const TRACE: &str = "trace.json";

/// A directory for one run, gone with it.
pub struct Scratch {
    pub dir: PathBuf,
    trace: Trace,
}

#[derive(Serialize, Deserialize)]
struct Trace {
    launcher: Record,
    postgres: Option<Record>,
    /// The leader of the session in which the tests run; all they start is in it, groups of their own included.
    session: Option<Record>,
}

impl Scratch {
    pub fn new() -> Result<Scratch> {
        let wanted = std::env::temp_dir().join(format!("{PREFIX}{}", secret::random_hex(8)?));
        let dir = postgres::reachable(wanted)?;
        if let Some(parent) = dir.parent() {
            tidy_after_killed_runs(parent);
        }
        files::make_dir(&dir, 0o755)?;
        let trace = Trace { launcher: Record::of(std::process::id()), postgres: None, session: None };
        let scratch = Scratch { dir, trace };
        scratch.save()?;
        Ok(scratch)
    }

    pub fn note_postgres(&mut self, record: Record) -> Result<()> {
        self.trace.postgres = Some(record);
        self.save()
    }

    pub fn note_session(&mut self, leader: Record) -> Result<()> {
        self.trace.session = Some(leader);
        self.save()
    }

    fn save(&self) -> Result<()> {
        files::write_json(&self.dir.join(TRACE), &self.trace)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.trace.stop();
        if let Err(err) = files::remove_dir(&self.dir) {
            words::note(&format!("{err:#}"));
        }
    }
}

impl Trace {
    fn stop(&self) {
        for member in self.session.as_ref().map(process::session_members).unwrap_or_default() {
            words::note(&format!("a test left {} (pid {}) running; stopping it", process::name(&member), member.pid));
            member.stop(Signal::TERM, Duration::from_secs(2));
        }
        if let Some(postgres) = &self.postgres {
            postgres.stop(Signal::INT, process::PATIENCE);
        }
    }
}

/// Stops what runs left whose launcher is gone. Only our own directories are believed.
fn tidy_after_killed_runs(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let dir = entry.path();
        let named = entry.file_name().to_str().is_some_and(|name| name.contains(PREFIX));
        let ours = fs::symlink_metadata(&dir).is_ok_and(|meta| meta.is_dir() && meta.uid() == geteuid().as_raw());
        if !named || !ours {
            continue;
        }
        if let Ok(Some(trace)) = files::read_json::<Trace>(&dir.join(TRACE))
            && !trace.launcher.alive()
        {
            words::note(&format!("tidying up after a test run that was killed: {}", dir.display()));
            trace.stop();
            // What can't be removed now is found again by the next run.
            let _ = files::remove_dir(&dir);
        }
    }
}
