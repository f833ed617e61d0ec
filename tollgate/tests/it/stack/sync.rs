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
        let admin = format!("127.0.0.1:{}", free_port());
        let text = format!(
            "admin_listen = \"{admin}\"\n{}postgres.url = \"{}\"\nshards.count = 4\n\
             lease.heartbeat_ms = 200\nsweep.grace_ms = 0\nsweep.interval_ms = 100\njournal.secret = \"{JOURNAL_SECRET}\"\n{settings}\n",
            redis_settings(house.redis, "ledger-sync"),
            house.postgres
        );
        let path = house.directory.join(format!("{name}.toml"));
        std::fs::write(&path, text).unwrap();
        let arguments = vec!["--config".to_owned(), path.display().to_string()];
        let admin = format!("http://{admin}");
        let named = ("ledger-sync", name.as_str());
        let program = Program::start(house.directory, named, arguments, admin.clone(), house.http.clone());
        Self { program, journal: format!("{admin}/journal") }
    }

    /// Until it has certified as many shards, of accounts and keys together.
    pub async fn wait_certified(&self, shards: i64) {
        wait_until(&format!("{shards} shards are certified"), async || {
            self.program.metric("tollgate_sync_shard_certified").await == shards
        })
        .await;
    }
}
