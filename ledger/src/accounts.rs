//! Reading accounts: one in full, several by name.

use metering::{AccountId, BudgetAnchor, Credits, LotId, Shard, ShardKind, Status, TimeMs};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{self, Stamp, count, credits, time};
use crate::{Ledger, LedgerError, Subject};

/// An account as the book has it. All parts are of one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountView {
    /// The account.
    pub account: AccountId,
    /// Its shard.
    #[serde(skip)]
    pub shard: Shard,
    /// For people.
    pub name: String,
    /// Where its mails go.
    pub email: Option<String>,
    /// Its status.
    pub status: Status,
    /// Day of the month on which its budget period starts.
    pub anchor: BudgetAnchor,
    /// The budget at the time asked for.
    pub budget: BudgetUse,
    /// Every lot, in burn order: earliest expiry first, then oldest grant, then id.
    pub lots: Vec<LotView>,
    /// What its live lots hold together.
    pub remaining: Credits,
    /// Number of its last event in the book.
    pub seq: u64,
    /// Version of the last change told to live state.
    pub control_version: u64,
    /// Changes on their way to live state.
    pub undelivered: u64,
    /// Credits that live state drew and the lots of the book did not have; 0 unless something went wrong.
    pub overdraft: Credits,
    /// When it was made.
    pub created_at: TimeMs,
}

/// A budget and what was drawn of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BudgetUse {
    /// Credits a month; 0 = no cap.
    pub limit: Credits,
    /// Credits drawn in this period, as far as the book has followed.
    pub used: Credits,
    /// End of the period.
    pub resets_at: TimeMs,
}

/// Whether a lot can be drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LotState {
    /// Its grant lies in the future.
    Upcoming,
    /// It has credits and time left.
    Live,
    /// It has time left and no credits.
    Exhausted,
    /// It is past its expiry.
    Expired,
    /// It is past its expiry, and what was left was taken out.
    Swept,
}

/// A lot as the book has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LotView {
    /// The lot.
    pub lot: LotId,
    /// What it is, for people.
    pub product: String,
    /// First instant at which it can be drawn.
    pub granted_at: TimeMs,
    /// First instant at which it can no longer be drawn.
    pub expires_at: TimeMs,
    /// Credits granted.
    pub original: Credits,
    /// Credits left, as far as the book has followed.
    pub remaining: Credits,
    /// Whether it can be drawn from.
    pub state: LotState,
}

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountSummary {
    /// The account.
    pub account: AccountId,
    /// For people; not unique.
    pub name: String,
    /// Where its mails go.
    pub email: Option<String>,
    /// Its status.
    pub status: Status,
}

#[derive(FromRow)]
struct RawAccount {
    account_id: Uuid,
    shard: i16,
    name: String,
    email: Option<String>,
    status: String,
    anchor_day: i16,
    budget_limit: i64,
    budget_used: i64,
    budget_period_end: Stamp,
    seq: i64,
    control_version: i64,
    undelivered: i64,
    overdraft: i64,
    created_at: Stamp,
}

#[derive(FromRow)]
struct RawLot {
    lot_id: i64,
    product: String,
    granted_at: Stamp,
    expires_at: Stamp,
    swept_at: Option<Stamp>,
    original: i64,
    remaining: i64,
}

#[derive(FromRow)]
pub(crate) struct RawSummary {
    account_id: Uuid,
    name: String,
    email: Option<String>,
    status: String,
}

impl Ledger {
    /// An account in full, as it stands at `now`.
    pub async fn account_view(&self, account: AccountId, now: TimeMs) -> Result<AccountView, LedgerError> {
        let mut transaction = self.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *transaction).await?;
        let raw: Option<RawAccount> = sqlx::query_as(include_str!("../queries/account.sql"))
            .bind(account.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        let raw = raw.ok_or_else(|| LedgerError::not_found(Subject::Account, &account))?;
        let lots: Vec<RawLot> = sqlx::query_as(include_str!("../queries/account_lots.sql"))
            .bind(account.as_uuid())
            .fetch_all(&mut *transaction)
            .await?;
        transaction.rollback().await?;
        view(raw, lots, now)
    }

    /// Accounts whose name is this one, letters' case aside, oldest first; at most `limit`.
    pub async fn find_accounts(&self, name: &str, limit: u32) -> Result<Vec<AccountSummary>, LedgerError> {
        let rows: Vec<RawSummary> = sqlx::query_as(include_str!("../queries/find_accounts.sql"))
            .bind(name)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(AccountSummary::try_from).collect()
    }

    /// Accounts after `after` in order of id, all shards; for going through the whole book page by page.
    pub async fn accounts_after(&self, after: Option<AccountId>, limit: u32) -> Result<Vec<AccountId>, LedgerError> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT account_id FROM accounts WHERE account_id > $1 ORDER BY account_id LIMIT $2")
                .bind(after.map_or(Uuid::nil(), |after| after.as_uuid()))
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await?;
        Ok(ids.into_iter().map(AccountId::from_uuid).collect())
    }

    /// What time Postgres has, for comparing its clock with that of Redis.
    pub async fn book_now(&self) -> Result<TimeMs, LedgerError> {
        time(sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.pool).await?)
    }

    /// How many accounts a shard has; of a shard of keys, how many keys.
    pub async fn count_of_shard(&self, shard: Shard) -> Result<u64, LedgerError> {
        let query = match shard.kind {
            ShardKind::Accounts => "SELECT count(*) FROM accounts WHERE shard = $1",
            ShardKind::Keys => "SELECT count(*) FROM api_keys WHERE key_shard = $1",
        };
        let found: i64 = sqlx::query_scalar(query).bind(columns::shard_number(shard)).fetch_one(&self.pool).await?;
        count(found)
    }
}

fn view(raw: RawAccount, lots: Vec<RawLot>, now: TimeMs) -> Result<AccountView, LedgerError> {
    let anchor = columns::anchor(raw.anchor_day)?;
    let resets_at = anchor.period_end(now);
    let used = if time(raw.budget_period_end)? >= resets_at { credits(raw.budget_used)? } else { Credits::ZERO };
    let lots = lots.into_iter().map(|lot| lot_view(lot, now)).collect::<Result<Vec<_>, _>>()?;
    let remaining = lots
        .iter()
        .filter(|lot| lot.state == LotState::Live)
        .try_fold(Credits::ZERO, |sum, lot| sum.checked_add(lot.remaining))
        .ok_or_else(|| LedgerError::Corrupt(format!("more credits than can be counted for {}", raw.account_id)))?;
    Ok(AccountView {
        account: AccountId::from_uuid(raw.account_id),
        shard: columns::shard("accounts", raw.shard)?,
        name: raw.name,
        email: raw.email,
        status: columns::status(&raw.status)?,
        anchor,
        budget: BudgetUse { limit: credits(raw.budget_limit)?, used, resets_at },
        lots,
        remaining,
        seq: count(raw.seq)?,
        control_version: count(raw.control_version)?,
        undelivered: count(raw.undelivered)?,
        overdraft: credits(raw.overdraft)?,
        created_at: time(raw.created_at)?,
    })
}

fn lot_view(raw: RawLot, now: TimeMs) -> Result<LotView, LedgerError> {
    let (granted_at, expires_at) = (time(raw.granted_at)?, time(raw.expires_at)?);
    let state = match raw.swept_at {
        Some(_) => LotState::Swept,
        None if expires_at <= now => LotState::Expired,
        None if granted_at > now => LotState::Upcoming,
        None if raw.remaining == 0 => LotState::Exhausted,
        None => LotState::Live,
    };
    Ok(LotView {
        lot: columns::lot(raw.lot_id)?,
        product: raw.product,
        granted_at,
        expires_at,
        original: credits(raw.original)?,
        remaining: credits(raw.remaining)?,
        state,
    })
}

impl TryFrom<RawSummary> for AccountSummary {
    type Error = LedgerError;

    fn try_from(raw: RawSummary) -> Result<Self, LedgerError> {
        Ok(Self {
            account: AccountId::from_uuid(raw.account_id),
            name: raw.name,
            email: raw.email,
            status: columns::status(&raw.status)?,
        })
    }
}
