//! How reloads went.

use std::time::SystemTime;

use prometheus::{IntCounter, IntGauge, Registry};

use super::{counter, gauge};

pub struct ReloadMetrics {
    done: IntCounter,
    failed: IntCounter,
    last: IntGauge,
}

impl ReloadMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            done: counter(registry, "loads_total", "Times that routes and upstreams were loaded, the start included.")?,
            failed: counter(registry, "loads_failed_total", "Times that routes or upstreams were refused.")?,
            last: gauge(registry, "last_load_timestamp_seconds", "When routes and upstreams were last loaded well.")?,
        })
    }

    pub fn loaded(&self) {
        #[expect(clippy::disallowed_methods, reason = "only shown, so nothing depends on it")]
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.last.set(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX));
        self.done.inc();
    }

    pub fn failed(&self) {
        self.failed.inc();
    }
}
