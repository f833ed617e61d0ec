//! Counting: entries of events, in the order of their stream, each once.
//!
//! The cursor's row is the lock. It needs no fence: a shard's events are recorded in the order of their numbers, so whoever holds the row
//! sees all of them up to the last one that it sees, and it does not matter who counts. So the drain never waits for it.

use metering::{AccountId, Shard, TimeMs};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::columns::{Stamp, bigint, count, shard_number, stamp, time};
use crate::mails::{Rearm, note_drawn, queue_low_balance};
use crate::marks::{MARK_EVERY, mark_lots};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// The last event whose entry is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageCursor {
    /// Its incarnation.
    pub incarnation: u64,
    /// The number after its own.
    pub next: u64,
}

/// What a pass has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// Where it came to.
    pub cursor: UsageCursor,
    /// Entries read.
    pub entries: u64,
    /// Accounts that drew.
    pub accounts: u64,
    /// Low-balance mails queued.
    pub mails: u64,
    /// Whether it stopped before it had all; then it has what happened up to `counted_to`.
    pub more: bool,
    /// Everything up to then is counted.
    pub counted_to: TimeMs,
}

#[derive(FromRow)]
pub(super) struct RawCursor {
    incarnation: Option<i64>,
    sequence: Option<i64>,
}

#[derive(FromRow)]
struct RawFound {
    found: i64,
    incarnation: Option<i64>,
    sequence: Option<i64>,
    occurred_at: Option<Stamp>,
    drew: Vec<Uuid>,
    /// When each of those drew the last time.
    drew_at: Vec<Stamp>,
}

/// Where the book is with a shard's events.
#[derive(FromRow)]
struct RawApplied {
    incarnation: i64,
    sequence: i64,
}

impl Ledger {
    /// Counts what a shard's accounts used after what is counted already, at most so many entries, and queues low-balance mails for the accounts
    /// that drew, in one transaction.
    pub async fn count_usage(
        &self,
        shard: Shard,
        entries_max: u32,
        now: TimeMs,
        rearm: Option<Rearm>,
    ) -> Result<Counting, LedgerError> {
        let entries_max = entries_max.max(1);
        let mut transaction = self.begin().await?;
        let cursor = lock_cursor(&mut transaction, shard).await?;
        let from = match cursor.incarnation.zip(cursor.sequence) {
            Some(from) => from,
            None => begin(&mut transaction, shard).await?,
        };
        // Read before the entries: what is recorded in between is left to the next pass.
        let applied: RawApplied = sqlx::query_as(
            "SELECT incarnation, coalesce(applied_sequence, -1) AS sequence FROM shards WHERE kind = 'accounts' AND number = $1",
        )
        .bind(shard_number(shard))
        .fetch_one(&mut *transaction)
        .await?;
        let found: RawFound = sqlx::query_as(concat!(
            include_str!("../../queries/usage_from_stream.sql"),
            include_str!("../../queries/usage_moves.sql"),
            include_str!("../../queries/usage_add.sql"),
        ))
        .bind(shard_number(shard))
        .bind(from.0)
        .bind(from.1)
        .bind(i64::from(entries_max))
        .fetch_one(&mut *transaction)
        .await?;
        let more = found.found >= i64::from(entries_max);
        let last = found.incarnation.zip(found.sequence).unwrap_or(from);
        let to = if more { last } else { last.max((applied.incarnation, applied.sequence)) };
        let counted_to = match found.occurred_at.filter(|_| more) {
            Some(at) => time(at)?,
            None => now,
        };
        if to != from || cursor.incarnation.is_none() {
            move_cursor(&mut transaction, shard, to, counted_to).await?;
        }
        if !found.drew.is_empty() {
            mark_lots(&mut transaction, &found.drew, MARK_EVERY).await?;
            note_drawn(&mut transaction, &found.drew, &found.drew_at).await?;
        }
        let mails = queue_low_balance(&mut transaction, &found.drew, now, rearm).await?;
        commit(transaction).await?;
        Ok(Counting {
            cursor: cursor_of(to)?,
            entries: count(found.found)?,
            accounts: u64::try_from(found.drew.len()).unwrap_or(u64::MAX), // always fits
            mails,
            more,
            counted_to,
        })
    }

    /// Queues low-balance mails for a page of a shard's accounts, in order of id, whether they drew or not: lots expire and are changed, too.
    /// Answers the last account of the page and how many mails it was; `None` after the last page.
    pub async fn look_for_low_balances(
        &self,
        shard: Shard,
        after: Option<AccountId>,
        limit: u32,
        now: TimeMs,
        rearm: Option<Rearm>,
    ) -> Result<Option<(AccountId, u64)>, LedgerError> {
        let mut transaction = self.begin().await?;
        let page: Vec<Uuid> = sqlx::query_scalar(include_str!("../../queries/page_of_shard.sql"))
            .bind(shard_number(shard))
            .bind(after.map_or(Uuid::nil(), |after| after.as_uuid()))
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await?;
        let Some(last) = page.last().copied() else { return Ok(None) };
        let mails = queue_low_balance(&mut transaction, &page, now, rearm).await?;
        commit(transaction).await?;
        Ok(Some((AccountId::from_uuid(last), mails)))
    }
}

/// The cursor of a shard, locked until the commit.
pub(super) async fn lock_cursor(connection: &mut PgConnection, shard: Shard) -> Result<RawCursor, LedgerError> {
    Ok(sqlx::query_as(include_str!("../../queries/usage_cursor.sql"))
        .bind(shard_number(shard))
        .fetch_one(connection)
        .await?)
}

impl RawCursor {
    /// Whether the cursor has passed an event; `None` while nothing is counted.
    pub(super) fn has_passed(&self, incarnation: u64, sequence: Option<u64>) -> Result<Option<bool>, LedgerError> {
        let Some(position) = self.incarnation.zip(self.sequence) else { return Ok(None) };
        let Some(sequence) = sequence else { return Ok(Some(true)) }; // of no event, so the cursor never comes to it
        Ok(Some((bigint(incarnation)?, bigint(sequence)?) <= position))
    }
}

/// Before the first pass: what the book itself gave back. From then on that is counted with its entry.
async fn begin(connection: &mut PgConnection, shard: Shard) -> Result<(i64, i64), LedgerError> {
    sqlx::query(concat!(
        include_str!("../../queries/usage_from_book.sql"),
        include_str!("../../queries/usage_moves.sql"),
        include_str!("../../queries/usage_add.sql"),
    ))
    .bind(shard_number(shard))
    .execute(connection)
    .await?;
    Ok((0, -1))
}

async fn move_cursor(
    connection: &mut PgConnection,
    shard: Shard,
    to: (i64, i64),
    counted_to: TimeMs,
) -> Result<(), LedgerError> {
    sqlx::query("UPDATE usage_cursors SET incarnation = $2, sequence = $3, counted_to = $4 WHERE shard = $1")
        .bind(shard_number(shard))
        .bind(to.0)
        .bind(to.1)
        .bind(stamp(counted_to)?)
        .execute(connection)
        .await?;
    Ok(())
}

fn cursor_of((incarnation, sequence): (i64, i64)) -> Result<UsageCursor, LedgerError> {
    Ok(UsageCursor { incarnation: count(incarnation)?, next: count(sequence.saturating_add(1))? })
}
