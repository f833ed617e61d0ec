//! A house for one test: a private book, a private Redis, and the console; with a ledger-sync or a pretend Stripe where a story needs them.
//!
//! ```ignore
//! let house = House::start().await;                               // or House::with(Plan { sync: true, ..Plan::default() })
//! let account = house.account("Ann", Status::Active, 1_000).await;
//! let ann = house.person(account, "billing_owner");
//! let page = house.get(&ann, "/billing").await;
//! let saved = house.form(&ann, "/billing/budget", &[("limit", "40")]).await;
//! let listed = house.ask(Method::GET, "/api/billing/keys").of(&ann).header("accept", "x").send().await;
//! ```

mod answer;
mod ask;
mod draw;
mod people;
mod plant;
mod sale;

use std::process::Command;
use std::time::Duration;

use ledger::testing::{TestDatabase, Wire, database};
use metering::TimeMs;
use metering::testing::{RedisServer, free_port};
use tempfile::TempDir;
use testing::{Ground, executable, laid_over};

pub use answer::Answer;
pub use ask::{Ask, encoded};
pub use people::{Person, SECRET, claims, sign};
pub use plant::{by, credits};
pub use testing::{Program, Stripe};

/// Long enough for a machine that builds and tests other things at once.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What a test needs beside the book and the console.
#[derive(Clone, Copy, Default)]
pub struct Plan {
    /// A ledger-sync, so that live state is there and changes are carried to it.
    pub sync: bool,
    /// A pretend Stripe with the demo plans, and the webhook that it delivers to.
    pub stripe: bool,
    /// The console reaches the book by a line that can be cut.
    pub wire: bool,
    /// Settings laid over those of the test's console, in TOML with dotted keys.
    pub settings: &'static str,
}

/// Everything that runs. The order of the fields is the order in which it ends.
pub struct House {
    pub console: Program,
    pub sync: Option<Program>,
    pub stripe: Option<Stripe>,
    _webhook: Option<Program>,
    pub wire: Option<Wire>,
    /// Empty unless there is a ledger-sync.
    pub redis: RedisServer,
    pub book: TestDatabase,
    /// Follows no redirect, keeps no cookie.
    pub http: reqwest::Client,
    /// Where browsers find the console: scheme, host, port.
    pub url: String,
    pub directory: TempDir,
}

impl House {
    /// The console alone, on a book and a Redis that nobody fills.
    pub async fn start() -> Self {
        Self::with(Plan::default()).await
    }

    pub async fn with(plan: Plan) -> Self {
        let directory = TempDir::new().unwrap();
        let (redis, book) = (RedisServer::start(), database().await);
        let no_redirects = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(no_redirects).timeout(PATIENCE).build().unwrap();
        let ground = Ground { directory: directory.path().to_owned(), http: http.clone(), patience: PATIENCE };
        let stores = format!("postgres.url = \"{}\"\nredis.url = \"{}\"\n", book.url, redis.url());
        let sync = plan.sync.then(|| {
            let text = format!(
                "{stores}shards.count = 4\nlease.duration_ms = 30000\nlease.heartbeat_ms = 200\n\
                 sweep.grace_ms = 0\nsweep.interval_ms = 100\n"
            );
            ground.service(("ledger-sync", "ledger-sync"), free_port(), &text).started()
        });
        let (stripe, webhook) = if plan.stripe { sale::sell(&ground, &book.url).await } else { (None, None) };
        let wire = if plan.wire { Some(Wire::to(&book.url).await) } else { None };
        let stores = wire.as_ref().map_or(stores.clone(), |wire| stores.replace(&book.url, &wire.url));
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{address}");
        let sells = stripe.as_ref().map(Stripe::settings).unwrap_or_default();
        let text = settings(&address, &stores, &sells, plan.settings);
        let console = ground.service(("console", "console"), free_port(), &text).started();
        console.wait_ready().await;
        let house = Self { console, sync, stripe, _webhook: webhook, wire, redis, book, http, url, directory };
        if let Some(sync) = &house.sync {
            sync.wait_metric("tollgate_sync_shard_certified", 8).await;
        }
        house
    }

    /// The time, by the book's clock.
    pub async fn now(&self) -> TimeMs {
        self.book.ledger.book_now().await.unwrap()
    }

    pub fn stripe(&self) -> &Stripe {
        self.stripe.as_ref().expect("the plan says `stripe: true`")
    }

    /// Until live state has confirmed every change of the book; needs a ledger-sync.
    pub async fn wait_carried(&self) {
        wait_until("live state knows every change", async || {
            self.book.number("SELECT count(*) FROM outbox WHERE delivered_at IS NULL").await == 0
        })
        .await;
    }
}

/// The console, with nothing of the developer's own settings.
pub fn console() -> Command {
    Command::new(executable("console"))
}

/// Good settings of a console, but for what `over` says.
pub fn settings(address: &str, stores: &str, sells: &str, over: &str) -> String {
    let fallbacks = format!(
        "listen = \"{address}\"\npublic_url = \"http://{address}\"\n{stores}{sells}\
         sessions.algorithm = \"HS256\"\nsessions.secret = \"{SECRET}\"\nsessions.issuer = \"id.test\"\n\
         sessions.audience = \"tollgate\"\nlimits.live_ms = 100\nbrand.support_url = \"https://support.example/\"\n\
         brand.sign_in_url = \"https://id.example/\"\nlog.level = \"info,console=debug\"\n"
    );
    laid_over(&fallbacks, over)
}

/// Waits for a condition, with a limit.
pub async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    testing::wait_until(PATIENCE, what, condition).await;
}
