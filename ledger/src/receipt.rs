//! Receipts: everything the book has of one debit, found by its op or by that of whatever closed it.

mod of_account;

use metering::{AccountId, Credits, KeyCaps, KeyId, LotId, OpId, Shard, TimeMs};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::columns::{self, Stamp, bigint, credits, maybe_time, stamp, time};
use crate::entries::RawEntry;
use crate::past::{History, Past, Until, read_past};
use crate::{Day, Entry, EntryKind, Ledger, LedgerError, Outcome, outcomes};

pub use of_account::AccountReceipt;

/// A debit in the book, with the account as it was just before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The debit's entry.
    pub debit: Entry,
    /// Where its event stands.
    pub shard: Shard,
    /// When the book recorded it.
    pub recorded_at: TimeMs,
    /// The lots drawn, in burn order.
    pub lots: Vec<LotDrawn>,
    /// Whether it stands.
    pub state: ReceiptState,
    /// What closed it or asked to, oldest first; second debit events of its op and what gave those back, too.
    pub after: Vec<Entry>,
    /// The account just before the debit.
    pub before: Past,
    /// The key that asked, just before; `None` for a session.
    pub key: Option<KeyBefore>,
    /// How its request ended; `None` as for [`Ledger::outcome`].
    pub outcome: Option<Outcome>,
    /// Whether it was drawn under an Idempotency-Key that still holds.
    pub under_idempotency_key: bool,
}

/// A lot that a debit drew from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LotDrawn {
    /// The lot.
    pub lot: LotId,
    /// What was drawn.
    pub drawn: Credits,
    /// What it held before.
    pub before: Credits,
    /// What it held then.
    pub after: Credits,
}

/// Whether a debit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReceiptState {
    /// It stands.
    Drawn,
    /// It is a hold and waits to be settled.
    Held {
        /// From then on the owner of the shard releases it.
        until: TimeMs,
    },
    /// It was a hold and was settled.
    Settled {
        /// What stays drawn.
        kept: Credits,
    },
    /// It was given back.
    GivenBack,
    /// Somebody asked to undo it, and live state has not yet heard what the book decided.
    UndoAsked,
}

impl ReceiptState {
    /// What of a debit stays drawn.
    pub(crate) const fn kept_of(self, drawn: Credits) -> Credits {
        match self {
            Self::GivenBack => Credits::ZERO,
            Self::Settled { kept } => kept,
            Self::Drawn | Self::Held { .. } | Self::UndoAsked => drawn,
        }
    }
}

/// A key just before a debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KeyBefore {
    /// The key.
    pub key: KeyId,
    /// Whether live state had heard that it is revoked.
    pub revoked: bool,
    /// The most it might draw.
    pub caps: KeyCaps,
    /// What it and those that count as one with it had drawn on that day (UTC).
    pub day_used: Credits,
    /// The same in the budget period.
    pub period_used: Credits,
}

#[derive(FromRow)]
struct RawRow {
    #[sqlx(flatten)]
    entry: RawEntry,
    shard: i16,
    recorded_at: Stamp,
}

/// What is noted of a debit beside its entries, as long as it is of use.
#[derive(FromRow)]
struct Marks {
    hold_until: Option<Stamp>,
    idempotency_key: bool,
    undo_asked: bool,
}

impl Marks {
    async fn of(connection: &mut PgConnection, account: AccountId, op: OpId) -> Result<Self, LedgerError> {
        let marks = sqlx::query_as(
            "SELECT (SELECT hold_until FROM holds WHERE op = $1 AND account_id = $2) AS hold_until, \
             EXISTS (SELECT FROM idempotency_marks WHERE op = $1 AND account_id = $2) AS idempotency_key, \
             EXISTS (SELECT FROM undos WHERE debit_op = $1 AND account_id = $2) AS undo_asked",
        );
        Ok(marks.bind(op.as_uuid()).bind(account.as_uuid()).fetch_one(connection).await?)
    }
}

struct Row {
    entry: Entry,
    shard: Shard,
    recorded_at: TimeMs,
}

impl Ledger {
    /// The receipts of the debits to which an op belongs, oldest first: none where the book has none, and more than one only where
    /// accounts share an op, which no gateway of ours makes.
    pub async fn receipts(&self, op: OpId) -> Result<Vec<Receipt>, LedgerError> {
        let mut transaction = self.begin_reading().await?;
        let rows = find_rows(&mut transaction, op).await?;
        let mut receipts = Vec::new();
        for debit in rows.iter().filter(|row| row.entry.kind == EntryKind::Debit) {
            let of_it = |row: &&Row| row.entry.account == debit.entry.account && row.entry.entry != debit.entry.entry;
            let after = rows.iter().filter(of_it).map(|row| row.entry.clone()).collect();
            receipts.push(read(&mut transaction, debit, after).await?);
        }
        transaction.rollback().await?;
        Ok(receipts)
    }
}

/// Every entry of the debits to which an op belongs.
async fn find_rows(connection: &mut PgConnection, op: OpId) -> Result<Vec<Row>, LedgerError> {
    let rows: Vec<RawRow> =
        sqlx::query_as(include_str!("../queries/receipt.sql")).bind(op.as_uuid()).fetch_all(connection).await?;
    rows.into_iter().map(Row::try_from).collect()
}

async fn read(connection: &mut PgConnection, row: &Row, after: Vec<Entry>) -> Result<Receipt, LedgerError> {
    let odd = |what| LedgerError::Corrupt(format!("a debit without {what}: entry {}", row.entry.entry));
    let (account, op) = (row.entry.account, row.entry.op.ok_or_else(|| odd("an op"))?);
    let event = row.entry.event.ok_or_else(|| odd("an event"))?;
    let until = Until { at: row.entry.at, before: Some((row.entry.entry, event)) };
    let (before, history) = read_past(&mut *connection, account, until).await?;
    let key = match row.entry.key {
        Some(key) => Some(key_before(&mut *connection, &row.entry, key, &history).await?),
        None => None,
    };
    let marks = Marks::of(&mut *connection, account, op).await?;
    let outcome = outcomes::read(connection, account, op).await?;
    let state = state(&row.entry, &after, &marks)?;
    let lots = drawn(&row.entry, &before)?;
    let (debit, shard, recorded_at) = (row.entry.clone(), row.shard, row.recorded_at);
    let under_idempotency_key = marks.idempotency_key;
    Ok(Receipt { debit, shard, recorded_at, lots, state, after, before, key, outcome, under_idempotency_key })
}

/// Of settling, giving back and undoing the first wins, so at most one entry closes a debit.
fn state(debit: &Entry, after: &[Entry], marks: &Marks) -> Result<ReceiptState, LedgerError> {
    let closed = after.iter().find(|entry| matches!(entry.kind, EntryKind::Settle | EntryKind::GiveBack));
    let closed = closed.map(|entry| (entry.kind, entry.credits.saturating_add(i64::from(entry.lapsed))));
    closed_as(credits(debit.credits.saturating_neg())?, closed, maybe_time(marks.hold_until)?, marks.undo_asked)
}

/// The state of a debit by what closed it and what came back then. A settled hold may have come back by an undo, where nobody knew whether it
/// was settled: then a part of it stays drawn.
pub(crate) fn closed_as(
    drawn: Credits,
    closed: Option<(EntryKind, i64)>,
    hold_until: Option<TimeMs>,
    undo_asked: bool,
) -> Result<ReceiptState, LedgerError> {
    Ok(match (closed, hold_until) {
        (Some((by, returned)), _) => {
            let kept = credits(i64::from(drawn).saturating_sub(returned))?;
            if by == EntryKind::Settle || !kept.is_zero() {
                ReceiptState::Settled { kept }
            } else {
                ReceiptState::GivenBack
            }
        }
        (None, _) if undo_asked => ReceiptState::UndoAsked,
        (None, Some(until)) => ReceiptState::Held { until },
        (None, None) => ReceiptState::Drawn,
    })
}

fn drawn(debit: &Entry, before: &Past) -> Result<Vec<LotDrawn>, LedgerError> {
    let of = |lot: LotId| before.lots.iter().find(|known| known.lot == lot).map(|known| known.remaining);
    debit
        .split
        .iter()
        .map(|draw| {
            let odd =
                || LedgerError::Corrupt(format!("entry {}: {} did not have what was drawn", debit.entry, draw.lot));
            let before = of(draw.lot).ok_or_else(odd)?;
            let after = before.saturating_sub(draw.credits); // a shortfall is in the account's overdraft
            Ok(LotDrawn { lot: draw.lot, drawn: draw.credits, before, after })
        })
        .collect()
}

async fn key_before(
    connection: &mut PgConnection,
    debit: &Entry,
    key: KeyId,
    history: &History,
) -> Result<KeyBefore, LedgerError> {
    let day = Day::of(debit.at);
    let (day_used, period_used): (i64, i64) = sqlx::query_as(include_str!("../queries/past_key_use.sql"))
        .bind(debit.account.as_uuid())
        .bind(key.as_uuid())
        .bind(bigint(debit.entry)?)
        .bind(stamp(day.starts_at())?)
        .bind(stamp(day.plus(1).starts_at())?)
        .bind(debit.budget_period_end.map(stamp).transpose()?)
        .fetch_one(connection)
        .await?;
    let (day_used, period_used) = (credits(day_used)?, credits(period_used)?);
    Ok(KeyBefore { key, revoked: history.is_revoked(key), caps: history.caps(key), day_used, period_used })
}

impl TryFrom<RawRow> for Row {
    type Error = LedgerError;

    fn try_from(raw: RawRow) -> Result<Self, LedgerError> {
        let (shard, recorded_at) = (columns::shard("accounts", raw.shard)?, time(raw.recorded_at)?);
        Ok(Self { entry: raw.entry.try_into()?, shard, recorded_at })
    }
}
