//! Changes of lots: granted, expiry moved, reduced.

use metering::{AccountId, Change, Credits, LotId, TimeMs};
use serde_json::json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::change::account::append_one;
use crate::change::{Appended, Audit, By, Locked, lock};
use crate::columns::{self, Stamp, bigint, credits, lot_number, stamp, time};
use crate::pool::commit;
use crate::{Ledger, LedgerError, Subject};

/// A debit draws from as many live lots as it needs, so their number bounds its work.
const LIVE_LOTS_MAX: u64 = 1_000;

/// What paid for a lot. One source grants once, whoever reports it and however often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A kind of source, as `stripe_payment`.
    pub kind: String,
    /// The source's own id.
    pub id: String,
}

/// A lot to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// How many credits, at least 1.
    pub credits: Credits,
    /// What they are, for people: a plan's name, `adjustment`.
    pub product: String,
    /// First instant at which they can be drawn.
    pub granted_at: TimeMs,
    /// First instant at which they can no longer be drawn; after `granted_at`.
    pub expires_at: TimeMs,
    /// What paid for them, if anything did.
    pub source: Option<Source>,
}

/// A lot that stays as it is until the commit, because its account is locked.
struct LockedLot {
    lot: LotId,
    account: Locked,
    granted_at: TimeMs,
    expires_at: TimeMs,
    remaining: Credits,
}

#[derive(FromRow)]
struct RawLot {
    remaining: i64,
    granted_at: Stamp,
    expires_at: Stamp,
    sweep_row: Option<i64>,
    swept_at: Option<Stamp>,
}

impl Ledger {
    /// Grants a lot; the book counts it at once, live state when the change arrives.
    pub async fn grant_lot(&self, account: AccountId, grant: &Grant, by: &By) -> Result<LotId, LedgerError> {
        let mut transaction = self.begin().await?;
        let locked = lock(&mut transaction, account).await?;
        let lot = insert_grant(&mut transaction, &locked, grant, by).await?;
        commit(transaction).await?;
        Ok(lot)
    }

    /// Moves a lot's expiry, also into the past: then it ends at once. A lot that is being swept stays as it is.
    /// Returns the version.
    pub async fn move_lot_expiry(&self, lot: LotId, expires_at: TimeMs, by: &By) -> Result<u64, LedgerError> {
        self.move_lot_expiry_from(lot, None, expires_at, by).await
    }

    /// As [`Self::move_lot_expiry`]; where `expected` is told and the lot ends at another time, refused with `changed`.
    pub async fn move_lot_expiry_from(
        &self,
        lot: LotId,
        expected: Option<TimeMs>,
        expires_at: TimeMs,
        by: &By,
    ) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let found = lock_lot(&mut transaction, lot).await?;
        if expected.is_some_and(|expected| expected != found.expires_at) {
            return Err(LedgerError::Changed { account: found.account.account, what: "lot" });
        }
        let expires_at = expires_at.max(found.granted_at); // an empty life, should it end before it began
        sqlx::query("UPDATE lots SET expires_at = $2 WHERE lot_id = $1")
            .bind(lot_number(lot))
            .bind(stamp(expires_at)?)
            .execute(&mut *transaction)
            .await?;
        let account = found.account.account;
        let change = Change::LotExpiryMoved { lot, expires_at };
        let version = append_one(&mut transaction, found.account.shard, account, change).await?.version;
        let (before, after) = (Some(json!({ "expires_at": found.expires_at })), json!({ "expires_at": expires_at }));
        Audit { by, action: "lot_expiry_moved", account, subject: Some(lot.to_string()), before, after }
            .write(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok(version)
    }

    /// Takes credits out of a lot: as many as are there when the change arrives, at most `credits`. The book follows
    /// what the event then says. Returns the version.
    pub async fn reduce_lot(&self, lot: LotId, credits: Credits, by: &By) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let appended = append_reduction(&mut transaction, lot, credits, by).await?;
        commit(transaction).await?;
        Ok(appended.version)
    }

    /// As [`Self::reduce_lot`]; where the lot has fewer credits in the book, refused with `changed`. Returns the version.
    pub async fn reduce_lot_in_full(&self, lot: LotId, credits: Credits, by: &By) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let found = lock_lot(&mut transaction, lot).await?;
        if found.remaining < credits {
            return Err(LedgerError::Changed { account: found.account.account, what: "lot" });
        }
        check_reduction(credits)?;
        let appended = write_reduction(&mut transaction, &found, credits, by).await?;
        commit(transaction).await?;
        Ok(appended.version)
    }
}

/// Grants a lot to an account that is locked: the lot, its entry, its change and the audit.
pub(crate) async fn insert_grant(
    connection: &mut PgConnection,
    locked: &Locked,
    grant: &Grant,
    by: &By,
) -> Result<LotId, LedgerError> {
    if grant.credits.is_zero() {
        return Err(LedgerError::Invalid("a lot has at least 1 credit".to_owned()));
    }
    if grant.expires_at <= grant.granted_at || grant.expires_at <= by.at {
        return Err(LedgerError::Invalid("a lot must expire after it is granted, and not in the past".to_owned()));
    }
    let account = locked.account;
    check_room(&mut *connection, account, grant, by.at).await?;
    let lot = insert_lot(&mut *connection, locked, grant).await?;
    let &Grant { credits, granted_at, expires_at, .. } = grant;
    let change = Change::LotGranted { lot, credits, granted_at, expires_at };
    let version = append_one(&mut *connection, locked.shard, account, change).await?.version;
    sqlx::query(include_str!("../../queries/enter_grant.sql"))
        .bind(lot_number(lot))
        .bind(bigint(version)?)
        .bind(stamp(by.at)?)
        .execute(&mut *connection)
        .await?;
    let after = json!({
        "credits": credits, "product": grant.product, "granted_at": granted_at, "expires_at": expires_at,
    });
    Audit { by, action: "lot_granted", account, subject: Some(lot.to_string()), before: None, after }
        .write(connection)
        .await?;
    Ok(lot)
}

/// Asks live state to take at most `credits` out of a lot, which locks its account if it is not yet.
pub(crate) async fn append_reduction(
    connection: &mut PgConnection,
    lot: LotId,
    credits: Credits,
    by: &By,
) -> Result<Appended, LedgerError> {
    check_reduction(credits)?;
    let found = lock_lot(&mut *connection, lot).await?;
    write_reduction(connection, &found, credits, by).await
}

fn check_reduction(credits: Credits) -> Result<(), LedgerError> {
    if credits.is_zero() {
        return Err(LedgerError::Invalid("a reduction takes at least 1 credit".to_owned()));
    }
    Ok(())
}

async fn write_reduction(
    connection: &mut PgConnection,
    found: &LockedLot,
    credits: Credits,
    by: &By,
) -> Result<Appended, LedgerError> {
    let (lot, account) = (found.lot, found.account.account);
    let change = Change::LotReduced { lot, credits };
    let appended = append_one(&mut *connection, found.account.shard, account, change).await?;
    let (before, after) = (Some(json!({ "remaining": found.remaining })), json!({ "takes_at_most": credits }));
    Audit { by, action: "lot_reduced", account, subject: Some(lot.to_string()), before, after }
        .write(connection)
        .await?;
    Ok(appended)
}

/// Finds the lot, then locks its account, then reads the lot as it now is.
async fn lock_lot(connection: &mut PgConnection, lot: LotId) -> Result<LockedLot, LedgerError> {
    let not_found = || LedgerError::not_found(Subject::Lot, &lot);
    let account: Option<Uuid> = sqlx::query_scalar("SELECT account_id FROM lots WHERE lot_id = $1")
        .bind(lot_number(lot))
        .fetch_optional(&mut *connection)
        .await?;
    let account = lock(&mut *connection, AccountId::from_uuid(account.ok_or_else(not_found)?)).await?;
    let raw: RawLot =
        sqlx::query_as("SELECT remaining, granted_at, expires_at, sweep_row, swept_at FROM lots WHERE lot_id = $1")
            .bind(lot_number(lot))
            .fetch_one(connection)
            .await?;
    if raw.sweep_row.is_some() || raw.swept_at.is_some() {
        return Err(LedgerError::LotSwept { lot });
    }
    Ok(LockedLot {
        lot,
        account,
        granted_at: time(raw.granted_at)?,
        expires_at: time(raw.expires_at)?,
        remaining: credits(raw.remaining)?,
    })
}

/// Live lots are bounded, and an account's credits must stay countable in Lua whatever is given back.
async fn check_room(
    connection: &mut PgConnection,
    account: AccountId,
    grant: &Grant,
    now: TimeMs,
) -> Result<(), LedgerError> {
    let (live, fits): (i64, bool) = sqlx::query_as(include_str!("../../queries/lot_room.sql"))
        .bind(account.as_uuid())
        .bind(stamp(now)?)
        .bind(i64::from(grant.credits))
        .fetch_one(connection)
        .await?;
    if columns::count(live)? >= LIVE_LOTS_MAX {
        return Err(LedgerError::TooManyLots { account, limit: LIVE_LOTS_MAX });
    }
    if fits { Ok(()) } else { Err(LedgerError::Invalid("an account holds at most 2^53 - 1 credits".to_owned())) }
}

/// Inserts the lot, unless its source has granted one already: then the answer names that one.
async fn insert_lot(connection: &mut PgConnection, locked: &Locked, grant: &Grant) -> Result<LotId, LedgerError> {
    let (source_kind, source_id) = grant.source.as_ref().map(|source| (&source.kind, &source.id)).unzip();
    let inserted: Option<i64> = sqlx::query_scalar(include_str!("../../queries/insert_lot.sql"))
        .bind(locked.account.as_uuid())
        .bind(columns::shard_number(locked.shard))
        .bind(&grant.product)
        .bind(i64::from(grant.credits))
        .bind(stamp(grant.granted_at)?)
        .bind(stamp(grant.expires_at)?)
        .bind(source_kind)
        .bind(source_id)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(lot) = inserted {
        return columns::lot(lot);
    }
    let first: i64 = sqlx::query_scalar("SELECT lot_id FROM lots WHERE source_kind = $1 AND source_id = $2")
        .bind(source_kind)
        .bind(source_id)
        .fetch_one(connection)
        .await?;
    Err(LedgerError::AlreadyGranted { lot: columns::lot(first)? })
}
