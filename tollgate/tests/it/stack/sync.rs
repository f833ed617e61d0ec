//! A ledger-sync of the stack.

use metering::testing::free_port;

use super::guarded::redis_settings;
use super::{House, JOURNAL_SECRET, Program, wait_until};

pub struct Sync {
    pub program: Program,
    /// Where gateways post their journals.
    pub journal: String,
}

impl Sync {
    pub fn start(house: &House<'_>, number: usize, settings: &str) -> Self {
        let name = format!("ledger-sync-{number}");
        let admin_port = free_port();
        let text = format!(
            "{}postgres.url = \"{}\"\nshards.count = 4\n\
             lease.heartbeat_ms = 200\nsweep.grace_ms = 0\nsweep.interval_ms = 100\njournal.secret = \"{JOURNAL_SECRET}\"\n{settings}",
            redis_settings(house.redis, "ledger-sync"),
            house.postgres
        );
        let program = house.ground.service(("ledger-sync", &name), admin_port, &text).started();
        Self { program, journal: format!("http://127.0.0.1:{admin_port}/journal") }
    }

    /// Until it has certified as many shards, of accounts and keys together.
    pub async fn wait_certified(&self, shards: i64) {
        wait_until(&format!("{shards} shards are certified"), async || {
            self.program.metric("tollgate_sync_shard_certified").await == shards
        })
        .await;
    }
}
