//! The settings files of a house that is to be proven: two gateways and two ledger-syncs on one Redis and one book.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::postgres::{self, USER};
use crate::secret::Passwords;
use crate::{files, ports, redis};

/// What a lost Redis may lose at most, a shard: smaller than as shipped, so that a run could pass it.
pub const EXPOSURE: Exposure = Exposure { events: 2_000, credits: 20_000, age_ms: 20_000 };
/// Room for a book that is away for long: as shipped.
pub const EXPOSURE_OF_AN_OUTAGE: Exposure = Exposure { events: 500_000, credits: 10_000_000, age_ms: 900_000 };
pub const SHARDS: u64 = 16;

/// How long a request waits for Redis: longer than as shipped, since 500 at once on a machine that does other things may have to.
const WAIT_MS_MAX: u64 = 2_000;
const OP_LIFETIME_MS: u64 = 5_000;
/// Longer than a gateway needs to deliver what it has queued while Redis was away; shorter than as shipped, so that a run need not wait.
const GRACE_MS: u64 = 10_000;
/// Longer than anything stands still in a run, and the same.
pub const CONFIRM_MS: u64 = 12_000;
/// Requests to this host are confirmed when they are over.
pub const CONFIRMED_HOST: &str = "confirmed.test";

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
    pub fn write(layout: &Layout, ports: &Ports, passwords: &Passwords, exposure: &Exposure) -> Result<Settings> {
        let redis =
            |user: &str, password: &str| format!("[redis]\nurl = \"{}\"\n\n", redis::url(user, password, ports.redis));
        let postgres = format!("[postgres]\nurl = \"{}\"\n\n", postgres::url(None, ports.postgres, USER));
        let write = |name: &str, text: &str| {
            let path = layout.run().join(name);
            // The URLs hold passwords.
            files::write_private(&path, &format!("# Written by cargo dev prove.\n{text}")).map(|()| path)
        };
        let demo = layout.root.join("config").join("routes.toml");
        let demo = fs::read_to_string(&demo).with_context(|| format!("reading {}", demo.display()))?;
        write("routes.toml", &format!("{demo}{}", confirmed_route()))?;
        let gateway = |number: usize| {
            // A directory of its own, which outlives its kills: whoever is started again posts what was left.
            let journal = layout.state().join(format!("journal-{}", number + 1));
            let text = format!(
                "routes = \"routes.toml\"\nlisten = \"127.0.0.1:{}\"\nadmin_listen = \"127.0.0.1:{}\"\nthreads = 2\n\n{}\
                 [meter]\nwait_ms_max = {WAIT_MS_MAX}\nop_lifetime_ms = {OP_LIFETIME_MS}\n\n[upstreams]\ndemo = \"http://127.0.0.1:{}\"\n\n[log]\nlevel = \"warn\"\nrequest_one_in = 0\n\n\
                 [journal]\ndirectory = \"{}\"\npost_to = [{}]\nsecret = \"{}\"\n",
                ports.gateways[number],
                ports.gateway_admins[number],
                redis("gateway", &passwords.redis_gateway),
                ports.upstream,
                journal.display(),
                ports.sync_admins.map(|port| format!("\"http://127.0.0.1:{port}/journal\"")).join(", "),
                passwords.journal,
            );
            write(&format!("gateway-{}.toml", number + 1), &text)
        };
        let sync = |number: usize| {
            let text = format!(
                "admin_listen = \"127.0.0.1:{}\"\n\n{}{postgres}[exposure]\nevents = {}\ncredits = {}\nage_ms = {}\n\n\
                 [sweep]\nhold_grace_ms = {GRACE_MS}\n\n[journal]\nsecret = \"{}\"\nreturn_grace_ms = {GRACE_MS}\n",
                ports.sync_admins[number],
                redis("ledger-sync", &passwords.redis_ledger_sync),
                exposure.events,
                exposure.credits,
                exposure.age_ms,
                passwords.journal,
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

/// The route of the messages once more, for another host.
fn confirmed_route() -> String {
    format!(
        "\n[[route]]\nname = \"confirmed\"\nmethod = \"POST\"\nhost = \"{CONFIRMED_HOST}\"\npath = \"/v1/messages\"\nauth = \"api_key\"\n\
         price = 2\nscope = \"messages\"\nupstream = \"demo\"\nterminal_event = \"data: [DONE]\"\nconfirm = true\nconfirm_ms = {CONFIRM_MS}\n"
    )
}
