//! An account as it was at an earlier instant: recomputed from grants, entries and the changes that live state had heard of by then.

mod history;

use metering::{AccountId, BudgetAnchor, Credits, EventId, LotId, Status, TimeMs};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::accounts::{BudgetUse, LotState};
use crate::columns::{self, Stamp, bigint, credits, stamp, time};
use crate::{Ledger, LedgerError, Subject};

pub(crate) use history::History;

/// An account at an instant, by the clock of its shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Past {
    /// The account.
    pub account: AccountId,
    /// The instant: what happened in it is included.
    pub at: TimeMs,
    /// Its status; `None` before live state had heard of the account.
    pub status: Option<Status>,
    /// The limit that held, and what was used in the period of the instant.
    pub budget: BudgetUse,
    /// Lots whose grant live state had heard of, in burn order.
    pub lots: Vec<PastLot>,
    /// What those held together that could be drawn.
    pub remaining: Credits,
}

/// A lot at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastLot {
    /// The lot.
    pub lot: LotId,
    /// What it is, for people.
    pub product: String,
    /// First instant at which it can be drawn.
    pub granted_at: TimeMs,
    /// First instant at which it could no longer be drawn, as it stood then.
    pub expires_at: TimeMs,
    /// Credits granted.
    pub original: Credits,
    /// Credits that were left.
    pub remaining: Credits,
    /// Whether it could be drawn from.
    pub state: LotState,
}

/// Up to when: everything in the instant, or only what came before one entry of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    pub at: TimeMs,
    pub before: Option<(u64, EventId)>,
}

#[derive(FromRow)]
struct RawLot {
    lot_id: i64,
    product: String,
    granted_at: Stamp,
    original: i64,
    remaining: i64,
}

impl Ledger {
    /// An account as it was at an instant. Reads its entries, which may be millions: seconds, then.
    pub async fn past(&self, account: AccountId, at: TimeMs) -> Result<Past, LedgerError> {
        let mut transaction = self.begin_reading().await?;
        let past = read_past(&mut transaction, account, Until { at, before: None }).await?.0;
        transaction.rollback().await?;
        Ok(past)
    }

    /// Begins a look at one instant of the book that may read every entry of an account.
    pub(crate) async fn begin_reading(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, LedgerError> {
        let mut transaction = self.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *transaction).await?;
        sqlx::query("SET LOCAL statement_timeout = '60s'").execute(&mut *transaction).await?;
        Ok(transaction)
    }
}

pub(crate) async fn read_past(
    connection: &mut PgConnection,
    account: AccountId,
    until: Until,
) -> Result<(Past, History), LedgerError> {
    let anchor: Option<i16> = sqlx::query_scalar("SELECT anchor_day FROM accounts WHERE account_id = $1")
        .bind(account.as_uuid())
        .fetch_optional(&mut *connection)
        .await?;
    let anchor = columns::anchor(anchor.ok_or_else(|| LedgerError::not_found(Subject::Account, &account))?)?;
    let history = History::read(&mut *connection, account, until).await?;
    let budget = read_budget(&mut *connection, account, until, anchor, history.budget_limit()).await?;
    let mut lots = read_lots(connection, account, until, &history).await?;
    lots.sort_by_key(|lot| (lot.expires_at, lot.granted_at, lot.lot));
    let live = lots.iter().filter(|lot| lot.state == LotState::Live).map(|lot| lot.remaining);
    let remaining = live
        .into_iter()
        .try_fold(Credits::ZERO, Credits::checked_add)
        .ok_or_else(|| LedgerError::Corrupt(format!("more credits than can be counted for {account}")))?;
    let past = Past { account, at: until.at, status: history.status(), budget, lots, remaining };
    Ok((past, history))
}

async fn read_budget(
    connection: &mut PgConnection,
    account: AccountId,
    until: Until,
    anchor: BudgetAnchor,
    limit: Credits,
) -> Result<BudgetUse, LedgerError> {
    let resets_at = anchor.period_end(until.at);
    let used: i64 = sqlx::query_scalar(include_str!("../queries/past_budget.sql"))
        .bind(account.as_uuid())
        .bind(stamp(until.at)?)
        .bind(until.entry()?)
        .bind(stamp(resets_at)?)
        .fetch_one(connection)
        .await?;
    Ok(BudgetUse { limit, used: credits(used.max(0))?, resets_at })
}

async fn read_lots(
    connection: &mut PgConnection,
    account: AccountId,
    until: Until,
    history: &History,
) -> Result<Vec<PastLot>, LedgerError> {
    let rows: Vec<RawLot> = sqlx::query_as(include_str!("../queries/past_lots.sql"))
        .bind(account.as_uuid())
        .bind(stamp(until.at)?)
        .bind(until.entry()?)
        .fetch_all(connection)
        .await?;
    let mut lots = Vec::new();
    for raw in rows {
        let lot = columns::lot(raw.lot_id)?;
        // A lot of which live state had not heard could not be drawn, though the book counts it from its grant on.
        let Some(expires_at) = history.expiry(lot) else { continue };
        let (granted_at, remaining) = (time(raw.granted_at)?, credits(raw.remaining.max(0))?); // what it did not have is in the account's overdraft
        let state = if expires_at <= until.at {
            LotState::Expired
        } else if granted_at > until.at {
            LotState::Upcoming
        } else if remaining.is_zero() {
            LotState::Exhausted
        } else {
            LotState::Live
        };
        let original = credits(raw.original)?;
        lots.push(PastLot { lot, product: raw.product, granted_at, expires_at, original, remaining, state });
    }
    Ok(lots)
}

impl Until {
    fn entry(self) -> Result<Option<i64>, LedgerError> {
        self.before.map(|(entry, _)| bigint(entry)).transpose()
    }
}
