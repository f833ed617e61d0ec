//! The whole house for one test: Redis, Postgres, a pretend upstream, gateways and ledger-syncs, all private and all real.
//!
//! Everything is started on free ports in a directory of its own, and killed when the `Stack` goes. A test that panics
//! shows the end of every program's log.

mod answer;
mod audit;
mod call;
mod console;
mod customers;
mod dice;
mod gateway;
pub mod guarded;
mod load;
mod notices;
mod postgres;
mod sale;
mod stuck;
mod sync;
mod tally;
mod upstream;
mod webhook;
mod wire;

use std::time::Duration;

use ledger::testing::{TestDatabase, database, database_on};
use metering::TimeMs;
use metering::live::Meter;
use metering::testing::{RedisServer, RedisSetup, free_port, start_cluster};
use tempfile::TempDir;
use testing::Ground;

pub use answer::Answer;
pub use audit::Totals;
pub use call::{CHAT, Call, STREAM};
pub use console::{Console, Role};
pub use customers::{Customer, by, credits};
pub use dice::{Dice, is_full};
pub use gateway::Gateway;
pub use load::Load;
pub use notices::Notices;
pub use postgres::Postgres;
pub use stuck::Stuck;
pub use sync::Sync;
pub use tally::{Reply, Tally};
pub use testing::{Program, Stripe};
pub use upstream::Upstream;
pub use webhook::Webhook;
pub use wire::{Fault, Wire};

/// What gateways say to ledger-syncs.
pub const JOURNAL_SECRET: &str = "the-secret-of-the-journals-of-a-test";

/// Long enough for a machine that builds and tests other things at once.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Settings of gateways that wait for Redis as long as a busy machine needs: for tests in which nobody is to be turned away.
pub const PATIENT: &str = "meter.wait_ms_max = 20000\nmeter.op_lifetime_ms = 40000";
/// The gateways' own defaults: for tests in which turning away is allowed.
pub const AS_SHIPPED: &str = "";
/// Leases that outlast any pause of a busy machine: for tests in which every owner lives.
const LONG_LEASES: &str = "lease.duration_ms = 30000";
/// For tests in which owners die and others follow.
pub const SHORT_LEASES: &str = "lease.duration_ms = 1500";

/// What a test needs.
#[expect(clippy::struct_excessive_bools, reason = "each is a part of the house that a story may want")]
pub struct Plan {
    pub gateways: usize,
    pub syncs: usize,
    /// With a pretend Stripe that delivers to the first of so many.
    pub webhooks: usize,
    /// A console behind the gateways, whose people have sessions at both.
    pub console: bool,
    /// What sends mails, and a pretend mail server that takes them; needs a console, whose links they hold.
    pub notices: bool,
    /// What Redis does about its append-only file.
    pub appendfsync: &'static str,
    /// Redis is a cluster of so many primaries; 0 = one Redis.
    pub nodes: u16,
    /// Another Redis than Debian's, or one whose clock can be turned.
    pub redis: RedisSetup,
    /// Gateways reach Redis over a wire that can lose and delay what goes over it.
    pub wire: bool,
    /// Each program speaks to Redis under a user of its own, and by TLS.
    pub guarded: bool,
    /// A Postgres of the test's own, which it may kill.
    pub own_postgres: bool,
    /// Settings laid over those of the tests' gateways, in TOML with dotted keys.
    pub gateway_settings: &'static str,
    /// The same for ledger-syncs.
    pub sync_settings: &'static str,
    /// And for webhooks.
    pub webhook_settings: &'static str,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            gateways: 1,
            syncs: 1,
            webhooks: 0,
            console: false,
            notices: false,
            appendfsync: "everysec",
            nodes: 0,
            redis: RedisSetup::default(),
            wire: false,
            guarded: false,
            own_postgres: false,
            gateway_settings: PATIENT,
            sync_settings: LONG_LEASES,
            webhook_settings: "",
        }
    }
}

impl Plan {
    fn webhooks_are_told(&self) -> String {
        let mail = if self.notices { notices::webhook_settings() } else { String::new() };
        format!("{mail}{}", self.webhook_settings)
    }

    fn gateways_are_told(&self) -> String {
        let sessions = if self.console { console::SESSIONS } else { "" };
        format!("{}\n{sessions}", self.gateway_settings)
    }
}

/// Everything that runs. The order of the fields is the order in which it ends.
pub struct Stack {
    pub gateways: Vec<Gateway>,
    pub console: Option<Console>,
    pub notices: Option<Notices>,
    pub webhooks: Vec<Webhook>,
    pub stripe: Option<Stripe>,
    pub syncs: Vec<Sync>,
    pub upstream: Upstream,
    _stuck: Stuck,
    /// Between gateways and Redis, where the plan says so.
    pub wire: Option<Wire>,
    pub meter: Meter,
    pub book: TestDatabase,
    pub postgres: Option<Postgres>,
    pub redis: RedisServer,
    /// The other nodes, where it is a cluster.
    pub more_nodes: Vec<RedisServer>,
    pub http: reqwest::Client,
    pub directory: TempDir,
}

impl Stack {
    /// One gateway and one ledger-sync.
    pub async fn start() -> Self {
        Self::with(Plan::default()).await
    }

    /// Two gateways and two ledger-syncs as they are shipped, and a Redis that loses nothing it has answered.
    pub async fn pairs() -> Self {
        let plan = Plan { gateways: 2, syncs: 2, appendfsync: "always", ..Plan::default() };
        Self::with(Plan { gateway_settings: AS_SHIPPED, sync_settings: SHORT_LEASES, ..plan }).await
    }

    pub async fn with(plan: Plan) -> Self {
        let directory = TempDir::new().unwrap();
        let tls = plan.guarded.then(guarded::tls);
        let (gateways_told, webhooks_told) = (plan.gateways_are_told(), plan.webhooks_are_told());
        let setup = RedisSetup { appendfsync: plan.appendfsync, users: plan.guarded, tls, ..plan.redis };
        let mut more_nodes = if plan.nodes > 0 { start_cluster(&setup, plan.nodes) } else { Vec::new() };
        let redis = if plan.nodes > 0 { more_nodes.remove(0) } else { RedisServer::start_with(setup) };
        let postgres = if plan.own_postgres { Some(Postgres::start().await) } else { None };
        let book = match &postgres {
            Some(postgres) => database_on(&postgres.url()).await,
            None => database().await,
        };
        let ground = Ground::new(directory.path(), PATIENCE);
        let upstream = Upstream::start(&ground);
        let stuck = Stuck::listen().await;
        let wire = if plan.wire { Some(Wire::to(redis.port()).await) } else { None };
        let mut house =
            House { ground: &ground, redis: &redis, wire: wire.as_ref(), postgres: &book.url, journals: Vec::new() };
        let syncs: Vec<Sync> = (0..plan.syncs).map(|number| Sync::start(&house, number, plan.sync_settings)).collect();
        house.journals = syncs.iter().map(|sync| sync.journal.clone()).collect();
        let (stripe, webhooks) = sell(&house, plan.webhooks, &webhooks_told).await;
        upstream.wait_ready().await;
        wait_shares(&syncs).await;
        let mut behind = vec![("demo", upstream.url()), ("gone", nobody_there()), ("stuck", stuck.url())];
        let place = plan.console.then(|| format!("127.0.0.1:{}", free_port()));
        behind.extend(place.iter().map(|place| ("console", format!("http://{place}"))));
        let gateways: Vec<Gateway> =
            (0..plan.gateways).map(|number| Gateway::start(&house, number, &behind, &gateways_told)).collect();
        for gateway in &gateways {
            gateway.program.wait_ready().await;
        }
        let console = match &place {
            Some(place) => Some(Console::start(&house, place, &gateways[0].url(), stripe.as_ref()).await),
            None => None,
        };
        let notices = if plan.notices { Some(Notices::start(&house, &gateways[0].url()).await) } else { None };
        let meter = Meter::connect(guarded::place_of(&redis, "tollgate")).await.unwrap();
        Self {
            gateways,
            console,
            notices,
            webhooks,
            stripe,
            syncs,
            upstream,
            _stuck: stuck,
            wire,
            meter,
            book,
            postgres,
            redis,
            more_nodes,
            http: ground.http,
            directory,
        }
    }

    /// The time, by the book's clock.
    pub async fn now(&self) -> TimeMs {
        self.book.ledger.book_now().await.unwrap()
    }

    /// All nodes of the cluster; the one that the settings name is the first.
    pub fn nodes(&self) -> Vec<&RedisServer> {
        std::iter::once(&self.redis).chain(&self.more_nodes).collect()
    }

    /// Until both ledger-syncs have half of the shards.
    pub async fn wait_shared(&self) {
        wait_shares(&self.syncs).await;
    }

    /// How many shards were built anew since the stack started.
    pub async fn rebuilds(&self) -> i64 {
        self.book.number("SELECT count(*) FROM incidents WHERE kind = 'rebuild'").await - 8 // each shard begins once
    }

    /// A metric, summed over the gateways.
    pub async fn gateway_metric(&self, name: &str) -> i64 {
        let mut sum = 0;
        for gateway in &self.gateways {
            sum += gateway.program.metric(name).await;
        }
        sum
    }

    /// Sends Redis a signal, by name.
    pub fn signal_redis(&self, signal: &str) {
        let pid = self.redis.pid().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &pid]).status();
        assert!(sent.unwrap().success(), "Redis is there to be signalled");
    }
}

/// What a program needs to know of the others.
pub struct House<'a> {
    pub ground: &'a Ground,
    pub redis: &'a RedisServer,
    pub wire: Option<&'a Wire>,
    pub postgres: &'a str,
    /// Where gateways post their journals.
    pub journals: Vec<String>,
}

/// A pretend Stripe with the demo plans, and those whom it delivers to; nobody where there is no webhook.
async fn sell(house: &House<'_>, webhooks: usize, settings: &str) -> (Option<Stripe>, Vec<Webhook>) {
    let places: Vec<String> = (0..webhooks).map(|_| Webhook::place()).collect();
    let Some(first) = places.first() else { return (None, Vec::new()) };
    let stripe = Stripe::start(house.ground, &format!("127.0.0.1:{}", free_port()), first);
    let start = |(number, place): (usize, &String)| Webhook::start(house, number, place, &stripe.settings(), settings);
    let webhooks: Vec<Webhook> = places.iter().enumerate().map(start).collect();
    stripe.plant().await;
    for webhook in &webhooks {
        webhook.program.wait_ready().await;
    }
    (Some(stripe), webhooks)
}

/// Until each ledger-sync has its share of the four shards of accounts and four of keys.
async fn wait_shares(syncs: &[Sync]) {
    for sync in syncs {
        sync.program.wait_ready().await;
    }
    wait_until("the shards are shared out and certified", async || {
        let mut shares = Vec::new();
        for sync in syncs {
            shares.push(sync.program.metric("tollgate_sync_shard_certified").await);
        }
        shares.iter().sum::<i64>() == 8 && !shares.contains(&0)
    })
    .await;
}

fn nobody_there() -> String {
    format!("http://127.0.0.1:{}", free_port())
}

/// Waits for a condition, with a limit.
pub async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    testing::wait_until(PATIENCE, what, condition).await;
}
