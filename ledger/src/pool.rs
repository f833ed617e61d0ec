//! The pool of connections: each with deadlines, each commit durable before it is answered.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

use crate::entries::EntriesTransaction;
use crate::{LedgerError, error};

/// How patient the book's connections are.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// Most connections at a time.
    pub connections_max: u32,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            connections_max: 8,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(3),
        }
    }
}

const BEGIN_KEYED: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_mergejoin = off";

/// The book. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(crate) pool: PgPool,
    pub(crate) options: PgConnectOptions,
}

impl Ledger {
    /// Opens the book without connecting yet: fails only for a URL that is none. Call it inside a runtime.
    pub fn open(url: &str, settings: PoolSettings) -> Result<Self, LedgerError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| LedgerError::Invalid("the Postgres URL is not a URL".to_owned()))? // what it holds is a secret
            .application_name("tollgate");
        let deadline = |limit: Duration| format!("{}ms", limit.as_millis());
        let with_deadlines = options.clone().options([
            ("statement_timeout", deadline(settings.statement_timeout)),
            ("lock_timeout", deadline(settings.lock_timeout)),
            ("idle_in_transaction_session_timeout", deadline(settings.statement_timeout)),
            ("synchronous_commit", "on".to_owned()),
            // No statement of ours runs long enough to be worth compiling, and where the planner thinks so that takes 0.2 s.
            ("jit", "off".to_owned()),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections_max)
            .acquire_timeout(settings.acquire_timeout)
            .connect_lazy_with(with_deadlines);
        Ok(Self { pool, options })
    }

    /// Closes every connection once it is free.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Whether Postgres answers.
    pub async fn ping(&self) -> Result<(), LedgerError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, LedgerError> {
        Ok(self.pool.begin().await?)
    }

    /// A transaction that may write entries.
    pub(crate) async fn begin_entries(&self) -> Result<EntriesTransaction, LedgerError> {
        EntriesTransaction::begin(&self.pool, "BEGIN").await
    }

    /// For statements that look for thousands of keys at once, each with one look into an index: one plan for every batch, and never a
    /// table that is read whole. The planner, told of the keys themselves, takes the latter wherever a table is young.
    pub(crate) async fn begin_keyed(&self) -> Result<EntriesTransaction, LedgerError> {
        EntriesTransaction::begin(&self.pool, BEGIN_KEYED).await
    }
}

/// Commits. A connection that breaks here leaves the outcome unknown, which is not the same as failed.
pub(crate) async fn commit(transaction: Transaction<'_, Postgres>) -> Result<(), LedgerError> {
    transaction.commit().await.map_err(unknown_or_refused)
}

/// Why a commit was not confirmed.
pub(crate) fn unknown_or_refused(failure: sqlx::Error) -> LedgerError {
    match failure {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => LedgerError::Unknown(failure),
        refusal if error::is_passing(&refusal) => LedgerError::Unknown(refusal), // the server may have been told to stop after the commit
        refusal => refusal.into(),
    }
}
