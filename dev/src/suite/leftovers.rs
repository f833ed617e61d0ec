//! Whatever a test started and forgot is found by a mark in its environment, named and stopped.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use crate::process::Record;
use crate::{secret, words};

const MARK: &str = "TOLLGATE_TEST_RUN";

/// One run of the tests; every process below it inherits its mark.
pub struct Run {
    id: String,
}

impl Run {
    pub fn new() -> Result<Run> {
        Ok(Run { id: secret::random_hex(8)? })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn mark(&self, command: &mut Command) {
        command.env(MARK, &self.id);
    }

    /// Stops what still carries the mark. Only `/proc` can tell, so elsewhere this finds nothing.
    pub fn stop_leftovers(&self) {
        let mark = format!("{MARK}={}", self.id);
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
                let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                words::note(&format!("a test left {} (pid {pid}) running; stopping it", name.trim()));
                Record::of(pid).stop(Signal::TERM, Duration::from_secs(2));
            }
        }
    }
}
