//! A private database for each test, cloned from a template with the schema in it.
//!
//! `TOLLGATE_TEST_POSTGRES_URL` names a server and a superuser; `cargo dev test` starts one and sets it.

mod mails;
mod marks;
mod wire;

use std::str::FromStr;
use std::thread;

use metering::{ShardCount, TimeMs};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{Ledger, PoolSettings};

pub use mails::{QueuedMail, StrayMailEvent};
pub use wire::Wire;

const VARIABLE: &str = "TOLLGATE_TEST_POSTGRES_URL";
/// Four shards: enough for two owners to share, few enough to start quickly.
const SHARDS: u16 = 4;
/// 2026-01-15T00:00:00Z; the template has the partitions of the months around it.
const TEMPLATE_TIME: u64 = 1_768_435_200_000;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A database that is dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    /// The book in it.
    pub ledger: Ledger,
    /// Its URL, for programs that the test starts.
    pub url: String,
    name: String,
    server: PgConnectOptions,
    /// Its server is the test's own, and goes with all it holds.
    goes_with_server: bool,
}

/// Makes a database of its own for the calling test. The schema is there, laid out with four shards.
///
/// Panics without a server: say `cargo dev test`.
pub async fn database() -> TestDatabase {
    let server = server();
    let template = TEMPLATE.get_or_init(|| make_template(server.clone())).await;
    let name = format!("tollgate_test_{}", Uuid::now_v7().simple());
    run(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    let url = server.clone().database(&name).to_url_lossy().to_string();
    let ledger = Ledger::open(&url, PoolSettings { connections_max: 4, ..PoolSettings::default() })
        .expect("the URL was made from one that works");
    TestDatabase { ledger, url, name, server, goes_with_server: false }
}

/// Makes a database on a server that the test started itself and may kill; with the same schema and shards.
pub async fn database_on(server_url: &str) -> TestDatabase {
    let server = PgConnectOptions::from_str(server_url).expect("the test's own URL is good");
    let name = "tollgate_test".to_owned();
    run(&server, &format!("CREATE DATABASE {name}")).await;
    let url = server.clone().database(&name).to_url_lossy().to_string();
    let ledger = Ledger::open(&url, PoolSettings { connections_max: 4, ..PoolSettings::default() })
        .expect("the URL was made from one that works");
    migrate(&ledger).await;
    TestDatabase { ledger, url, name, server, goes_with_server: true }
}

impl TestDatabase {
    /// Runs a statement as a superuser: for tests that look at tables or break something on purpose.
    pub async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        sqlx::query(AssertSqlSafe(sql)).execute(&self.ledger.pool).await.map(|done| done.rows_affected())
    }

    /// Runs statements one after the other, as a migration's file has them.
    pub async fn run_script(&self, script: &str) {
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&self.ledger.pool).await.expect("a script that runs");
    }

    /// The single number that a query answers.
    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&self.ledger.pool)
            .await
            .expect("a query that answers a number")
    }

    /// The single text that a query answers.
    pub async fn text(&self, sql: &str) -> String {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.ledger.pool).await.expect("a query that answers a text")
    }

    /// How Postgres answers a statement with parameters (`arguments`, as SQL writes them): what it did, node by node, with the rows that each
    /// gave. Planned for these values, or `blindly`, without knowing them, as it may do for what was prepared and asked some times.
    pub async fn plan(&self, statement: &str, arguments: &str, blindly: bool) -> String {
        let mut connection = self.ledger.pool.acquire().await.expect("a connection");
        let run = |sql: String| AssertSqlSafe(sql);
        let mode = if blindly { "force_generic_plan" } else { "force_custom_plan" };
        for sql in [format!("SET plan_cache_mode = {mode}"), format!("PREPARE asked AS {statement}")] {
            sqlx::raw_sql(run(sql)).execute(&mut *connection).await.expect("a statement that can be prepared");
        }
        let plan = explain(&mut connection, arguments).await;
        sqlx::raw_sql(run("DEALLOCATE asked; RESET plan_cache_mode".to_owned()))
            .execute(&mut *connection)
            .await
            .expect("a session as it was");
        plan
    }

    /// The same for a statement as a batch that is recorded asks it.
    pub async fn plan_of_batch(&self, statement: &str, arguments: &str) -> String {
        let mut transaction = self.ledger.begin_keyed().await.expect("a transaction");
        let prepare = AssertSqlSafe(format!("PREPARE asked AS {statement}"));
        sqlx::raw_sql(prepare).execute(&mut *transaction).await.expect("a statement that can be prepared");
        let plan = explain(&mut transaction, arguments).await;
        sqlx::raw_sql("DEALLOCATE asked").execute(&mut *transaction).await.expect("a session as it was");
        transaction.rollback().await.expect("an end");
        plan
    }
}

/// What Postgres did for the statement that was prepared as `asked`.
async fn explain(connection: &mut PgConnection, arguments: &str) -> String {
    let explain = format!("EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) EXECUTE asked ({arguments})");
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(connection).await.expect("a plan");
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

impl Drop for TestDatabase {
    /// In a thread with a runtime of its own, because the test's runtime is the one that is being torn down.
    fn drop(&mut self) {
        if self.goes_with_server {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        });
        let gone = dropped.join().is_ok();
        assert!(gone || thread::panicking(), "the test's database {} could not be dropped", self.name);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "not a setting of a service: the test runner tells where its Postgres is"
)]
fn server() -> PgConnectOptions {
    let url = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run the tests with `cargo dev test`, which starts a Postgres")
    });
    PgConnectOptions::from_str(&url).unwrap_or_else(|error| panic!("{VARIABLE} is not a Postgres URL: {error}"))
}

/// One template for each process; named after it, so that processes do not wait for each other.
async fn make_template(server: PgConnectOptions) -> String {
    let name = format!("tollgate_template_{}", Uuid::now_v7().simple());
    run(&server, &format!("CREATE DATABASE {name}")).await;
    let url = server.database(&name).to_url_lossy().to_string();
    let ledger = Ledger::open(&url, PoolSettings::default()).expect("the URL was made from one that works");
    migrate(&ledger).await;
    ledger.close().await;
    name
}

async fn migrate(ledger: &Ledger) {
    let shards = ShardCount::new(SHARDS).expect("a count from 1 to 999");
    ledger.migrate(shards, TimeMs::new(TEMPLATE_TIME)).await.expect("the migrations run on an empty database");
}

async fn run(server: &PgConnectOptions, sql: &str) {
    let mut connection = PgConnection::connect_with(server).await.expect("the test Postgres answers");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("the test Postgres makes and drops databases");
    connection.close().await.expect("the connection ends");
}

/// How many random histories a test tells: `TOLLGATE_TEST_SCALE` is `full`, or a number; `usual` without it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "not a setting of a service: how long a test may take")]
pub fn cases(usual: u32, full: u32) -> u32 {
    let scale = std::env::var("TOLLGATE_TEST_SCALE").unwrap_or_default();
    if scale == "full" { full } else { scale.parse().unwrap_or(usual) }
}
