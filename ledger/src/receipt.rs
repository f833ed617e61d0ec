//! Receipts: everything the book has of one debit, found by its op or by that of whatever closed it.

use metering::{Credits, KeyCaps, KeyId, LotId, OpId, Shard, TimeMs};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::columns::{self, Stamp, bigint, credits, maybe_time, stamp, time};
use crate::entries::RawEntry;
use crate::past::{History, Past, Until, read_past};
use crate::{Entry, EntryKind, Ledger, LedgerError, Outcome, outcomes};

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
        let rows: Vec<RawRow> = sqlx::query_as(include_str!("../queries/receipt.sql"))
            .bind(op.as_uuid())
            .fetch_all(&mut *transaction)
            .await?;
        let rows = rows.into_iter().map(Row::try_from).collect::<Result<Vec<Row>, _>>()?;
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
    let (hold_until, under_idempotency_key, undo_asked): (Option<Stamp>, bool, bool) = sqlx::query_as(
        "SELECT (SELECT hold_until FROM holds WHERE op = $1 AND account_id = $2), \
         EXISTS (SELECT FROM idempotency_marks WHERE op = $1 AND account_id = $2), \
         EXISTS (SELECT FROM undos WHERE debit_op = $1 AND account_id = $2)",
    )
    .bind(op.as_uuid())
    .bind(account.as_uuid())
    .fetch_one(&mut *connection)
    .await?;
    let outcome = outcomes::read(connection, account, op).await?;
    let state = state(&row.entry, &after, maybe_time(hold_until)?, undo_asked)?;
    let lots = drawn(&row.entry, &before)?;
    let (debit, shard, recorded_at) = (row.entry.clone(), row.shard, row.recorded_at);
    Ok(Receipt { debit, shard, recorded_at, lots, state, after, before, key, outcome, under_idempotency_key })
}

/// Of settling, giving back and undoing the first wins, so at most one entry closes a debit.
fn state(
    debit: &Entry,
    after: &[Entry],
    hold_until: Option<TimeMs>,
    undo_asked: bool,
) -> Result<ReceiptState, LedgerError> {
    let closed = after.iter().find(|entry| matches!(entry.kind, EntryKind::Settle | EntryKind::GiveBack));
    Ok(match (closed, hold_until) {
        (Some(settled), _) if settled.kind == EntryKind::Settle => {
            let returned = settled.credits.saturating_add(i64::from(settled.lapsed));
            ReceiptState::Settled { kept: credits(debit.credits.saturating_neg().saturating_sub(returned))? }
        }
        (Some(_), _) => ReceiptState::GivenBack,
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
    const DAY_MS: u64 = 86_400_000;
    let midnight = TimeMs::new(debit.at.day().saturating_mul(DAY_MS));
    let (day_used, period_used): (i64, i64) = sqlx::query_as(include_str!("../queries/past_key_use.sql"))
        .bind(debit.account.as_uuid())
        .bind(key.as_uuid())
        .bind(bigint(debit.entry)?)
        .bind(stamp(midnight)?)
        .bind(stamp(midnight.plus_ms(DAY_MS))?)
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
