//! Writing entries: many in one statement, one array a column.

use metering::{AccountId, Credits, Draw, KeyId, OpId, RouteName, Shard, Split, TimeMs, lots};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::columns::{self, Stamp, bigint, lot_number, stamp};
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

/// The entries as the statement takes them.
#[derive(Default)]
struct Rows {
    accounts: Vec<Uuid>,
    sequences: Vec<Option<i64>>,
    seqs: Vec<Option<i64>>,
    ops: Vec<Option<Uuid>>,
    debit_ops: Vec<Option<Uuid>>,
    kinds: Vec<&'static str>,
    credits: Vec<i64>,
    lot_ids: Vec<String>,
    lot_credits: Vec<String>,
    lapsed: Vec<i64>,
    keys: Vec<Option<Uuid>>,
    routes: Vec<Option<String>>,
    remaining_after: Vec<Option<i64>>,
    budget_used_after: Vec<Option<i64>>,
    budget_period_ends: Vec<Option<Stamp>>,
    changes: Vec<Option<i64>>,
    occurred_at: Vec<Stamp>,
}

/// Writes entries of one shard. Those with a sequence are events of `incarnation`.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    shard: Shard,
    incarnation: u64,
    entries: &[NewEntry],
) -> Result<(), LedgerError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    entries.iter().try_for_each(|entry| rows.push(entry))?;
    sqlx::query(include_str!("../../queries/insert_entries.sql"))
        .bind(columns::shard_number(shard))
        .bind(bigint(incarnation)?)
        .bind(rows.accounts)
        .bind(rows.sequences)
        .bind(rows.seqs)
        .bind(rows.ops)
        .bind(rows.debit_ops)
        .bind(rows.kinds)
        .bind(rows.credits)
        .bind(rows.lot_ids)
        .bind(rows.lot_credits)
        .bind(rows.lapsed)
        .bind(rows.keys)
        .bind(rows.routes)
        .bind(rows.remaining_after)
        .bind(rows.budget_used_after)
        .bind(rows.budget_period_ends)
        .bind(rows.changes)
        .bind(rows.occurred_at)
        .execute(connection)
        .await?;
    Ok(())
}

impl Rows {
    fn push(&mut self, entry: &NewEntry) -> Result<(), LedgerError> {
        let takes = entry.kind.takes();
        self.accounts.push(entry.account.as_uuid());
        self.sequences.push(entry.sequence.map(bigint).transpose()?);
        self.seqs.push(entry.seq.map(bigint).transpose()?);
        self.ops.push(entry.op.map(|op| op.as_uuid()));
        self.debit_ops.push(entry.debit_op.map(|op| op.as_uuid()));
        self.kinds.push(entry.kind.as_str());
        self.credits.push(signed_total(entry)?);
        self.lot_ids.push(array_text(&entry.split, |draw| lot_number(draw.lot)));
        self.lot_credits.push(array_text(&entry.split, |draw| signed(draw.credits, takes)));
        self.lapsed.push(entry.lapsed.into());
        self.keys.push(entry.key.map(|key| key.as_uuid()));
        self.routes.push(entry.route.as_ref().map(|route| route.as_str().to_owned()));
        self.remaining_after.push(entry.remaining_after.map(i64::from));
        self.budget_used_after.push(entry.budget_used_after.map(i64::from));
        self.budget_period_ends.push(entry.budget_period_end.map(stamp).transpose()?);
        self.changes.push(entry.outbox_row.map(bigint).transpose()?);
        self.occurred_at.push(stamp(entry.at)?);
        Ok(())
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

/// A Postgres array literal, because an array of arrays of different lengths is not a Postgres type.
fn array_text(split: &[Draw], column: impl Fn(&Draw) -> i64) -> String {
    let mut text = String::from("{");
    for draw in split {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&column(draw).to_string());
    }
    text.push('}');
    text
}
