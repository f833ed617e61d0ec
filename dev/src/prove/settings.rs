//! The settings files of a house that is to be proven: two gateways and two ledger-syncs on one Redis and one book.

use std::path::PathBuf;

use anyhow::Result;

use crate::layout::Layout;
use crate::postgres::{self, USER};
use crate::secret::Passwords;
use crate::{files, ports, redis};

/// What a lost Redis may lose at most, a shard: smaller than as shipped, so that a run could pass it.
pub const EXPOSURE: Exposure = Exposure { events: 2_000, credits: 20_000, age_ms: 20_000 };
pub const SHARDS: u64 = 16;

/// How long a request waits for Redis: longer than as shipped, since 500 at once on a machine that does other things may have to.
const WAIT_MS_MAX: u64 = 2_000;
const OP_LIFETIME_MS: u64 = 5_000;

pub struct Exposure {
    pub events: u64,
    pub credits: u64,
    pub age_ms: u64,
}

/// Where everything listens.
pub struct Ports {
    pub gateways: [u16; 2],
    pub gateway_admins: [u16; 2],
    pub sync_admins: [u16; 2],
    pub upstream: u16,
    pub redis: u16,
    /// Where a replica listens until it takes the primary's place.
    pub replica: u16,
    pub postgres: u16,
}

impl Ports {
    pub fn find() -> Result<Ports> {
        // Runs of several checkouts that start together look from different places on.
        let first = 20_000 + u16::try_from(std::process::id() % 100).unwrap_or(0) * 100;
        let [found @ .., upstream, redis, replica, postgres]: [u16; 10] = ports::lasting(first)?;
        let pair = |place: usize| [found[place], found[place + 1]];
        let (gateways, gateway_admins, sync_admins) = (pair(0), pair(2), pair(4));
        Ok(Ports { gateways, gateway_admins, sync_admins, upstream, redis, replica, postgres })
    }
}

/// Where each program finds its settings.
pub struct Settings {
    pub gateways: [PathBuf; 2],
    pub syncs: [PathBuf; 2],
    pub tollgate: PathBuf,
}

impl Settings {
    pub fn write(layout: &Layout, ports: &Ports, passwords: &Passwords) -> Result<Settings> {
        let redis =
            |user: &str, password: &str| format!("[redis]\nurl = \"{}\"\n\n", redis::url(user, password, ports.redis));
        let postgres = format!("[postgres]\nurl = \"{}\"\n\n", postgres::url(None, ports.postgres, USER));
        let write = |name: &str, text: &str| {
            let path = layout.run().join(name);
            // The URLs hold passwords.
            files::write_private(&path, &format!("# Written by cargo dev prove.\n{text}")).map(|()| path)
        };
        let gateway = |number: usize| {
            let text = format!(
                "listen = \"127.0.0.1:{}\"\nadmin_listen = \"127.0.0.1:{}\"\nthreads = 2\n\n{}\
                 [meter]\nwait_ms_max = {WAIT_MS_MAX}\nop_lifetime_ms = {OP_LIFETIME_MS}\n\n[upstreams]\ndemo = \"http://127.0.0.1:{}\"\n\n[log]\nlevel = \"warn\"\nrequest_one_in = 0\n",
                ports.gateways[number],
                ports.gateway_admins[number],
                redis("gateway", &passwords.redis_gateway),
                ports.upstream,
            );
            write(&format!("gateway-{}.toml", number + 1), &text)
        };
        let sync = |number: usize| {
            let text = format!(
                "admin_listen = \"127.0.0.1:{}\"\n\n{}{postgres}[exposure]\nevents = {}\ncredits = {}\nage_ms = {}\n",
                ports.sync_admins[number],
                redis("ledger-sync", &passwords.redis_ledger_sync),
                EXPOSURE.events,
                EXPOSURE.credits,
                EXPOSURE.age_ms,
            );
            write(&format!("ledger-sync-{}.toml", number + 1), &text)
        };
        let tollgate = format!("{}{postgres}", redis("tollgate", &passwords.redis_tollgate));
        Ok(Settings {
            gateways: [gateway(0)?, gateway(1)?],
            syncs: [sync(0)?, sync(1)?],
            tollgate: write("tollgate.toml", &tollgate)?,
        })
    }
}
