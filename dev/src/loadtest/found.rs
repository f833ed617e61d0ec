//! What `loadtest run` says it found, as far as scenarios ask.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Deserialize, Serialize)]
pub struct Found {
    pub seconds: f64,
    pub per_second: f64,
    pub all: Figures,
    pub kinds: BTreeMap<String, Figures>,
    pub late_us: Spread,
    pub over_time: Vec<Second>,
    pub streams: Option<Streams>,
    pub processes: Vec<Process>,
    pub debits: Option<Debits>,
    pub backlog_max: Option<f64>,
    pub backlog_end: Option<f64>,
    pub balances: Option<Balances>,
}

#[derive(Clone, Deserialize, Serialize)]
pub struct Figures {
    pub calls: u64,
    /// Answered 2xx, whole.
    pub served: u64,
    /// Without a whole answer.
    pub failed: u64,
    /// What callers were told that served calls cost.
    pub credits: u64,
    pub answers: BTreeMap<String, u64>,
    pub latency_us: Spread,
    pub service_us: Spread,
}

#[derive(Clone, Deserialize, Serialize)]
pub struct Spread {
    pub count: u64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// One second of the run.
#[derive(Clone, Deserialize, Serialize)]
pub struct Second {
    pub calls: u64,
    pub failed: u64,
}

#[derive(Clone, Deserialize, Serialize)]
pub struct Streams {
    pub whole: u64,
    pub broken: u64,
    pub events: u64,
    pub gaps_us: Spread,
}

#[derive(Clone, Deserialize, Serialize)]
pub struct Process {
    pub name: String,
    pub cpu_us_per_call: Option<f64>,
    pub rss_begin_bytes: Option<u64>,
    pub rss_end_bytes: Option<u64>,
}

#[derive(Clone, Deserialize, Serialize)]
pub struct Debits {
    pub count: f64,
    pub p50_us: f64,
    pub p99_us: f64,
}

#[derive(Clone, Deserialize, Serialize)]
pub struct Balances {
    pub accounts: u64,
    pub unsure: u64,
    pub wrong: Vec<serde_json::Value>,
}

impl Found {
    /// How many calls were answered so, whatever their kind.
    pub fn answered(&self, label: &str) -> u64 {
        self.all.answers.get(label).copied().unwrap_or(0)
    }

    /// Callers who were told to come again, where they are no more than a machine explains that stands still for a moment.
    pub fn late(&self) -> u64 {
        self.answered("503 meter_unavailable").min(self.all.calls / 20)
    }

    pub fn cpu_us(&self, process: &str) -> Option<f64> {
        self.processes.iter().find(|known| known.name == process)?.cpu_us_per_call
    }

    pub fn calls_of(&self, kind: &str) -> u64 {
        self.kinds.get(kind).map_or(0, |figures| figures.calls)
    }
}
