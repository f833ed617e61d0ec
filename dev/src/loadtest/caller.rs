//! Running the program `loadtest` before a house that stands.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::found::Found;
use super::wish::LoadWish;
use crate::layout::Layout;
use crate::report::Report;
use crate::{files, process};

/// One run.
#[derive(Clone)]
pub struct Load {
    pub mix: &'static str,
    /// None where each connection calls again as soon as it was answered.
    pub rate: Option<String>,
    pub arrivals: &'static str,
    pub duration: String,
    pub connections: u32,
    /// How much more often the first keys are used; 0 = all alike.
    pub zipf: f64,
    pub headers: Vec<String>,
    /// Whether balances must be short of what callers were told.
    pub balances: bool,
}

impl Default for Load {
    fn default() -> Load {
        Load {
            mix: "json=1",
            rate: None,
            arrivals: "constant",
            duration: "10s".to_owned(),
            connections: 64,
            zipf: 0.0,
            headers: Vec::new(),
            balances: false,
        }
    }
}

impl Load {
    /// What was asked for in place of the scenario's own.
    pub fn or(mut self, wish: &LoadWish) -> Load {
        self.rate = wish.rate.clone().or(self.rate);
        self.duration = wish.duration.clone().unwrap_or(self.duration);
        self.connections = wish.connections.unwrap_or(self.connections);
        self
    }
}

pub struct Caller<'a> {
    pub layout: &'a Layout,
    pub standing: &'a Report,
    pub wish: &'a LoadWish,
}

/// Processes whose CPU time and memory are told.
const WATCHED: [&str; 5] = ["gateway", "redis", "ledger_sync", "postgres", "upstream"];
/// Balances were not what callers were told: that is a finding, and not a failure to find.
const UNTRUE: i32 = 2;

impl Caller<'_> {
    /// Calls the gateway with these keys; every answer has a line among the receipts.
    pub fn gateway(&self, load: &Load, keys: &str) -> Result<Found> {
        let mut command = self.command(load, &self.standing.gateway, keys)?;
        command.arg("--receipts").arg(self.receipts());
        for admin in [&self.standing.gateway_admin, &self.standing.ledger_sync_admin] {
            command.args(["--admin", admin]);
        }
        if load.balances {
            command.arg("--balances");
        }
        if let Some(page) = &self.wish.html {
            command.arg("--html").arg(page);
        }
        self.run(command)
    }

    /// Calls a server in the same way, for figures alone: without receipts and without a table.
    pub fn quietly(&self, load: &Load, url: &str, keys: &str) -> Result<Found> {
        let mut command = self.command(load, url, keys)?;
        command.stdout(Stdio::null());
        self.run(command)
    }

    pub fn receipts(&self) -> PathBuf {
        self.layout.run().join("load.receipts")
    }

    fn command(&self, load: &Load, url: &str, keys: &str) -> Result<Command> {
        let file = self.layout.run().join("load.keys");
        files::write_private(&file, keys)?;
        let mut command = Command::new(self.layout.program("loadtest", !self.wish.debug));
        command.args(["run", "--target", url, "--mix", load.mix, "--arrivals", load.arrivals]);
        command.args(["--duration", &load.duration, "--connections", &load.connections.to_string()]);
        command.args(["--zipf", &load.zipf.to_string(), "--seed", &self.wish.seed.to_string()]);
        command.args(load.rate.iter().flat_map(|rate| ["--rate", rate]));
        command.args(load.headers.iter().flat_map(|header| ["--header", header]));
        command.arg("--keys").arg(file);
        for name in WATCHED {
            command.args(["--pid", &format!("{name}={}", self.standing.process(name)?.pid)]);
        }
        Ok(command)
    }

    /// Its table stands where people look, unless they asked for JSON alone.
    fn run(&self, mut command: Command) -> Result<Found> {
        let file = self.layout.run().join("load.json");
        command.arg("--json").arg(&file);
        if self.wish.json {
            command.stdout(Stdio::null());
        }
        let status = process::run(command).context("running loadtest")?;
        if !matches!(status.code(), Some(0 | UNTRUE)) {
            bail!("loadtest failed ({status})");
        }
        files::read_json(&file)?.context("loadtest has written what it found")
    }
}
