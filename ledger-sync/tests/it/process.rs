//! A real ledger-sync process on a real Redis and a real Postgres.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use metering::testing::free_port;
use tempfile::TempDir;
use testing::{Ground, Program};

/// Long enough for a machine that runs the whole suite at once.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running ledger-sync. Killed when dropped.
pub struct Sync {
    program: Program,
    _directory: TempDir,
}

impl Sync {
    /// Starts one and waits until it is ready.
    pub async fn start(redis_url: &str, postgres_url: &str) -> Self {
        let sync = Self::start_unready(redis_url, postgres_url, "");
        sync.wait_ready().await;
        sync
    }

    /// Starts one with settings of your own laid over the test's, and does not wait.
    pub fn start_unready(redis_url: &str, postgres_url: &str, settings: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let text = format!(
            "redis.url = \"{redis_url}\"\npostgres.url = \"{postgres_url}\"\nshards.count = 4\n\
             lease.duration_ms = 1500\nlease.heartbeat_ms = 200\nsweep.grace_ms = 0\nsweep.interval_ms = 100\n{settings}"
        );
        let ground = Ground::new(directory.path(), PATIENCE);
        let program = ground.service(("ledger-sync", "ledger-sync"), free_port(), &text).started();
        Self { program, _directory: directory }
    }
}

impl Deref for Sync {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Sync {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// Waits for a condition, with a limit.
pub async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    testing::wait_until(PATIENCE, what, condition).await;
}
