//! Entries: what changed a balance. Read latest first; written in bulk by whoever follows events.

mod insert;
mod transaction;

use metering::{AccountId, Credits, EventId, KeyId, OpId, Split, TimeMs};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{self, Stamp, bigint, count, credits, maybe_time, stamp, time};
pub(crate) use insert::{NewEntry, insert, signed, signed_total};
pub(crate) use transaction::EntriesTransaction;

use crate::words::words;
use crate::{EntryCursor, Ledger, LedgerError};

words! {
    /// What changed a balance.
    EntryKind, "entry kind",
    /// A lot was granted.
    Grant => "grant",
    /// Credits were drawn.
    Debit => "debit",
    /// Credits were drawn a second time for one op.
    DebitDuplicate => "debit_duplicate",
    /// A debit was undone.
    GiveBack => "give_back",
    /// A hold was settled: what it held above the price came back.
    Settle => "settle",
    /// The second drawing of one op was undone.
    DuplicateReturn => "duplicate_return",
    /// Somebody asked to undo a debit; moves nothing by itself.
    Undo => "undo",
    /// What was left of a lot past its expiry was taken out.
    Expire => "expire",
    /// An operator took credits out of a lot.
    ClawBack => "claw_back",
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number in the book.
    pub entry: u64,
    /// The account.
    pub account: AccountId,
    /// Its event in the stream; `None` where the book itself made the entry.
    pub event: Option<EventId>,
    /// The account's number of that event.
    pub seq: Option<u64>,
    /// The op that made it.
    pub op: Option<OpId>,
    /// The debit it is about, where it is not one itself.
    pub debit_op: Option<OpId>,
    /// What it is.
    pub kind: EntryKind,
    /// Credits that came (`+`) or went (`-`).
    pub credits: i64,
    /// By lot; the sign is that of `credits`.
    pub split: Split,
    /// Credits of a give-back whose lot has expired meanwhile.
    pub lapsed: Credits,
    /// The key that asked for a debit.
    pub key: Option<KeyId>,
    /// The route it was asked on.
    pub route: Option<String>,
    /// Credits left, as live state said.
    pub remaining_after: Option<Credits>,
    /// Credits drawn in the budget period, as live state said.
    pub budget_used_after: Option<Credits>,
    /// The budget period it counts in.
    pub budget_period_end: Option<TimeMs>,
    /// The outbox row it came from.
    pub outbox_row: Option<u64>,
    /// When it happened.
    pub at: TimeMs,
}

impl Entry {
    /// Where the page after this entry begins.
    #[must_use]
    pub const fn cursor(&self) -> EntryCursor {
        EntryCursor { at: self.at, entry: self.entry }
    }
}

#[derive(FromRow)]
pub(crate) struct RawEntry {
    entry_id: i64,
    account_id: Uuid,
    incarnation: Option<i64>,
    sequence: Option<i64>,
    seq: Option<i64>,
    op: Option<Uuid>,
    debit_op: Option<Uuid>,
    kind: String,
    credits: i64,
    lot_ids: Vec<i64>,
    lot_credits: Vec<i64>,
    lapsed: i64,
    key_id: Option<Uuid>,
    route: Option<String>,
    remaining_after: Option<i64>,
    budget_used_after: Option<i64>,
    budget_period_end: Option<Stamp>,
    outbox_row: Option<i64>,
    occurred_at: Stamp,
}

impl Ledger {
    /// The last entries of an account up to an instant, latest first.
    pub async fn entries_until(&self, account: AccountId, at: TimeMs, limit: u32) -> Result<Vec<Entry>, LedgerError> {
        let after_all_of_it = EntryCursor { at: at.plus_ms(1), entry: 0 };
        self.entries(account, Some(after_all_of_it), limit).await
    }

    /// An account's entries, latest first; the next page begins at the cursor of the last entry.
    pub async fn entries(
        &self,
        account: AccountId,
        after: Option<EntryCursor>,
        limit: u32,
    ) -> Result<Vec<Entry>, LedgerError> {
        let rows: Vec<RawEntry> = sqlx::query_as(include_str!("../queries/entries.sql"))
            .bind(account.as_uuid())
            .bind(after.map(|cursor| stamp(cursor.at)).transpose()?)
            .bind(after.map(|cursor| bigint(cursor.entry)).transpose()?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Entry::try_from).collect()
    }
}

impl TryFrom<RawEntry> for Entry {
    type Error = LedgerError;

    fn try_from(raw: RawEntry) -> Result<Self, LedgerError> {
        let event = raw.incarnation.zip(raw.sequence);
        let event = event
            .map(|(incarnation, sequence)| {
                Ok::<_, LedgerError>(EventId { incarnation: count(incarnation)?, sequence: count(sequence)? })
            })
            .transpose()?;
        Ok(Self {
            entry: count(raw.entry_id)?,
            account: AccountId::from_uuid(raw.account_id),
            event,
            seq: raw.seq.map(count).transpose()?,
            op: raw.op.map(OpId::from_uuid),
            debit_op: raw.debit_op.map(OpId::from_uuid),
            kind: EntryKind::try_from(raw.kind.as_str())?,
            credits: raw.credits,
            split: columns::split(&raw.lot_ids, &raw.lot_credits)?,
            lapsed: credits(raw.lapsed)?,
            key: raw.key_id.map(KeyId::from_uuid),
            route: raw.route,
            remaining_after: raw.remaining_after.map(credits).transpose()?,
            budget_used_after: raw.budget_used_after.map(credits).transpose()?,
            budget_period_end: maybe_time(raw.budget_period_end)?,
            outbox_row: raw.outbox_row.map(count).transpose()?,
            at: time(raw.occurred_at)?,
        })
    }
}
