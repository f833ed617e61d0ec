//! Writing entries: many in one COPY.

use metering::{AccountId, Credits, KeyId, OpId, RouteName, Shard, Split, TimeMs, lots};
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, Postgres};

use crate::columns::{self, bigint, lot_number, stamp};
use crate::entries::EntriesTransaction;
use crate::{EntryKind, LedgerError};

/// An entry to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewEntry {
    pub account: AccountId,
    /// Its event in the stream; `None` where the book itself makes the entry.
    pub sequence: Option<u64>,
    pub seq: Option<u64>,
    pub op: Option<OpId>,
    pub debit_op: Option<OpId>,
    pub kind: EntryKind,
    /// What came or went, by lot; the kind says which.
    pub split: Split,
    pub lapsed: Credits,
    pub key: Option<KeyId>,
    pub route: Option<RouteName>,
    pub remaining_after: Option<Credits>,
    pub budget_used_after: Option<Credits>,
    pub budget_period_end: Option<TimeMs>,
    pub outbox_row: Option<u64>,
    pub at: TimeMs,
}

impl NewEntry {
    /// An entry that says only what every entry says.
    pub(crate) const fn new(account: AccountId, kind: EntryKind, at: TimeMs) -> Self {
        Self {
            account,
            sequence: None,
            seq: None,
            op: None,
            debit_op: None,
            kind,
            split: Split::new(),
            lapsed: Credits::ZERO,
            key: None,
            route: None,
            remaining_after: None,
            budget_used_after: None,
            budget_period_end: None,
            outbox_row: None,
            at,
        }
    }
}

impl EntryKind {
    /// Whether its credits went; else they came.
    pub(crate) const fn takes(self) -> bool {
        matches!(self, Self::Debit | Self::DebitDuplicate | Self::Expire | Self::ClawBack)
    }
}

/// How the binary format of COPY begins: its signature, no flags, no extension of the header.
const BEGINNING: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// As many as the statement names.
const COLUMNS: i16 = 19;
const END: i16 = -1;
const NULL: i32 = -1;

/// Rows in the binary format of COPY, each field as sqlx encodes an argument.
/// <https://www.postgresql.org/docs/15/sql-copy.html>
struct Rows(PgArgumentBuffer);

/// Writes entries of one shard. Those with a sequence are events of `incarnation`.
///
/// By COPY: in place of an array a column, which Postgres takes apart and puts together again, it costs a fifth less.
pub(crate) async fn insert(
    transaction: &mut EntriesTransaction,
    shard: Shard,
    incarnation: u64,
    entries: &[NewEntry],
) -> Result<(), LedgerError> {
    if entries.is_empty() {
        return Ok(());
    }
    let (shard, incarnation) = (columns::shard_number(shard), bigint(incarnation)?);
    let mut rows = Rows::new();
    entries.iter().try_for_each(|entry| rows.push(shard, incarnation, entry))?;
    let mut copy = transaction.copy_in_raw(include_str!("../../queries/copy_entries.sql")).await?;
    copy.send(rows.end()).await?;
    copy.finish().await?;
    Ok(())
}

impl Rows {
    fn new() -> Self {
        let mut buffer = PgArgumentBuffer::default();
        buffer.extend_from_slice(BEGINNING);
        Self(buffer)
    }

    fn push(&mut self, shard: i16, incarnation: i64, entry: &NewEntry) -> Result<(), LedgerError> {
        let takes = entry.kind.takes();
        let lot_ids: Vec<i64> = entry.split.iter().map(|draw| lot_number(draw.lot)).collect();
        let lot_credits: Vec<i64> = entry.split.iter().map(|draw| signed(draw.credits, takes)).collect();
        self.0.extend_from_slice(&COLUMNS.to_be_bytes());
        self.field(entry.account.as_uuid())?;
        self.field(shard)?;
        self.field(entry.sequence.map(|_| incarnation))?;
        self.field(entry.sequence.map(bigint).transpose()?)?;
        self.field(entry.seq.map(bigint).transpose()?)?;
        self.field(entry.op.map(|op| op.as_uuid()))?;
        self.field(entry.debit_op.map(|op| op.as_uuid()))?;
        self.field(entry.kind.as_str())?;
        self.field(signed_total(entry)?)?;
        self.field(lot_ids)?;
        self.field(lot_credits)?;
        self.field(i64::from(entry.lapsed))?;
        self.field(entry.key.map(|key| key.as_uuid()))?;
        self.field(entry.route.as_ref().map(RouteName::as_str))?;
        self.field(entry.remaining_after.map(i64::from))?;
        self.field(entry.budget_used_after.map(i64::from))?;
        self.field(entry.budget_period_end.map(stamp).transpose()?)?;
        self.field(entry.outbox_row.map(bigint).transpose()?)?;
        self.field(stamp(entry.at)?)
    }

    /// A field behind its length in bytes.
    fn field<'value>(&mut self, value: impl Encode<'value, Postgres>) -> Result<(), LedgerError> {
        let before = self.0.len();
        self.0.extend_from_slice(&NULL.to_be_bytes());
        let from = self.0.len();
        if value.encode_by_ref(&mut self.0).map_err(sqlx::Error::Encode)?.is_null() {
            return Ok(());
        }
        let length = i32::try_from(self.0.len().saturating_sub(from))
            .map_err(|_| LedgerError::Invalid("a field of more than 2 GiB".to_owned()))?;
        if let Some(place) = self.0.get_mut(before..from) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&END.to_be_bytes());
        std::mem::take(&mut *self.0)
    }
}

/// What an entry moves in all.
pub(crate) fn signed_total(entry: &NewEntry) -> Result<i64, LedgerError> {
    let total = lots::total(&entry.split).ok_or_else(|| LedgerError::Invalid("a split too large".to_owned()))?;
    Ok(signed(total, entry.kind.takes()))
}

pub(crate) fn signed(credits: Credits, takes: bool) -> i64 {
    let credits = i64::from(credits);
    if takes { credits.saturating_neg() } else { credits } // never saturates: at most 2^53 − 1
}
