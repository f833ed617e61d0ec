//! The sums of an audit: what entries come to beside what lots hold, and what became of single ops.

use metering::{AccountId, OpId, TimeMs};
use sqlx::{FromRow, Postgres, Transaction};
use uuid::Uuid;

use crate::columns::{Ids, Stamp, count, stamp};
use crate::{Ledger, LedgerError};

/// What the book says an account's credits became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountSums {
    /// The account.
    pub account: AccountId,
    /// Granted, by its entries.
    pub granted: u64,
    /// Drawn by debits.
    pub drawn: u64,
    /// Given back of those, what lapsed included.
    pub given_back: u64,
    /// Expired: swept with their lot, or given back to a lot that had expired.
    pub expired: u64,
    /// Taken out by operators.
    pub clawed_back: u64,
    /// What its lots were granted with.
    pub original: u64,
    /// What its lots hold.
    pub left: u64,
    /// Drawn in live state although the lots of the book did not have it.
    pub overdraft: u64,
    /// How many debits.
    pub debits: u64,
    /// How many give-backs.
    pub give_backs: u64,
}

/// What became of an op that drew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpSum {
    /// The op.
    pub op: OpId,
    /// Drawn.
    pub drawn: u64,
    /// Given back of it.
    pub given_back: u64,
    /// Whether it drew within the time asked for.
    pub in_time: bool,
}

/// From an instant up to before another; open where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// The first instant of it.
    pub since: Option<TimeMs>,
    /// The first instant after it.
    pub until: Option<TimeMs>,
}

/// Debits of which something stays drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many.
    pub debits: u64,
    /// What stays drawn.
    pub credits: u64,
}

#[derive(FromRow)]
struct RawSums {
    account_id: Uuid,
    overdraft: i64,
    original: i64,
    remaining: i64,
    granted: i64,
    drawn: i64,
    given_back: i64,
    expired: i64,
    clawed_back: i64,
    debits: i64,
    give_backs: i64,
}

impl Ledger {
    /// The sums of these accounts, all of one instant; those that the book does not have are left out.
    pub async fn account_sums(&self, accounts: &[AccountId]) -> Result<Vec<AccountSums>, LedgerError> {
        let mut transaction = self.begin_audit().await?;
        let rows: Vec<RawSums> = sqlx::query_as(include_str!("../queries/audit_accounts.sql"))
            .bind(accounts.uuids())
            .fetch_all(&mut *transaction)
            .await?;
        transaction.rollback().await?;
        rows.into_iter().map(AccountSums::try_from).collect()
    }

    /// What became of these ops; those that the book has no debit of are left out.
    pub async fn op_sums(&self, ops: &[OpId], window: Window) -> Result<Vec<OpSum>, LedgerError> {
        let (since, until) = window.stamps()?;
        let rows: Vec<(Uuid, i64, i64, bool)> = sqlx::query_as(include_str!("../queries/audit_ops.sql"))
            .bind(ops.uuids())
            .bind(since)
            .bind(until)
            .fetch_all(&self.pool)
            .await?;
        let sums = rows.into_iter().map(|(op, drawn, given_back, in_time)| {
            Ok(OpSum { op: OpId::from_uuid(op), drawn: count(drawn)?, given_back: count(given_back)?, in_time })
        });
        sums.collect()
    }

    /// Debits of a time of which something stays drawn; of these accounts, or of all where none is named.
    pub async fn standing_debits(&self, window: Window, accounts: &[AccountId]) -> Result<Standing, LedgerError> {
        let (since, until) = window.stamps()?;
        let mut transaction = self.begin_audit().await?;
        let (debits, credits): (i64, i64) = sqlx::query_as(include_str!("../queries/audit_standing.sql"))
            .bind(since)
            .bind(until)
            .bind((!accounts.is_empty()).then(|| accounts.uuids()))
            .fetch_one(&mut *transaction)
            .await?;
        transaction.rollback().await?;
        Ok(Standing { debits: count(debits)?, credits: count(credits)? })
    }

    /// How many undos the book has not decided, of everybody.
    pub async fn undecided_undos(&self) -> Result<u64, LedgerError> {
        let open = sqlx::query_scalar("SELECT count(*) FROM undos WHERE state = 'open'").fetch_one(&self.pool).await?;
        count(open)
    }

    /// Reads one instant, and may read every entry there is: nobody waits for an audit.
    async fn begin_audit(&self) -> Result<Transaction<'static, Postgres>, LedgerError> {
        let mut transaction = self.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *transaction).await?;
        sqlx::query("SET LOCAL statement_timeout = '10min'").execute(&mut *transaction).await?;
        Ok(transaction)
    }
}

impl Window {
    fn stamps(self) -> Result<(Option<Stamp>, Option<Stamp>), LedgerError> {
        Ok((self.since.map(stamp).transpose()?, self.until.map(stamp).transpose()?))
    }
}

impl TryFrom<RawSums> for AccountSums {
    type Error = LedgerError;

    fn try_from(raw: RawSums) -> Result<Self, LedgerError> {
        Ok(Self {
            account: AccountId::from_uuid(raw.account_id),
            granted: count(raw.granted)?,
            drawn: count(raw.drawn)?,
            given_back: count(raw.given_back)?,
            expired: count(raw.expired)?,
            clawed_back: count(raw.clawed_back)?,
            original: count(raw.original)?,
            left: count(raw.remaining)?,
            overdraft: count(raw.overdraft)?,
            debits: count(raw.debits)?,
            give_backs: count(raw.give_backs)?,
        })
    }
}
