//! A receipt for the people of its account: what they may see of a debit, found without reading the account's whole past.

use metering::{AccountId, Credits, KeyId, OpId, TimeMs};
use sqlx::{FromRow, PgConnection};

use super::{LotDrawn, Marks, ReceiptState, Row, find_rows, state};
use crate::columns::{self, bigint, credits, lot_number, stamp};
use crate::past::{History, Until};
use crate::{Entry, EntryKind, Ledger, LedgerError, Outcome, outcomes};

/// A debit with what its account's people may know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReceipt {
    /// The debit's entry.
    pub debit: Entry,
    /// When the book recorded it.
    pub recorded_at: TimeMs,
    /// What was drawn at first.
    pub drawn: Credits,
    /// What of it stays drawn, as things stand.
    pub kept: Credits,
    /// The lots drawn, in burn order, each with what it is for people.
    pub lots: Vec<(LotDrawn, String)>,
    /// Whether it stands.
    pub state: ReceiptState,
    /// What closed it or asked to, oldest first.
    pub after: Vec<Entry>,
    /// What people call the key that asked; `None` for a session.
    pub key_name: Option<String>,
    /// The budget that held; 0 = no cap.
    pub budget_limit: Credits,
    /// What had been drawn in the budget period just before, as live state said.
    pub budget_used_before: Credits,
    /// How its request ended; `None` as for [`Ledger::outcome`].
    pub outcome: Option<Outcome>,
}

#[derive(FromRow)]
struct RawLot {
    lot_id: i64,
    product: String,
    before: i64,
}

impl Ledger {
    /// An account's own receipt of the debit to which an op belongs; `None` where it has none, whoever else may have.
    pub async fn account_receipt(&self, account: AccountId, op: OpId) -> Result<Option<AccountReceipt>, LedgerError> {
        let mut transaction = self.begin_reading().await?;
        let mut rows = find_rows(&mut transaction, op).await?;
        rows.retain(|row| row.entry.account == account);
        let Some(place) = rows.iter().position(|row| row.entry.kind == EntryKind::Debit) else { return Ok(None) };
        let debit = rows.remove(place);
        let after = rows.into_iter().map(|row| row.entry).collect();
        let receipt = read(&mut transaction, debit, after).await?;
        transaction.rollback().await?;
        Ok(Some(receipt))
    }
}

async fn read(connection: &mut PgConnection, row: Row, after: Vec<Entry>) -> Result<AccountReceipt, LedgerError> {
    let Row { entry: debit, recorded_at, .. } = row;
    let odd = |what| LedgerError::Corrupt(format!("a debit without {what}: entry {}", debit.entry));
    let (op, event) = (debit.op.ok_or_else(|| odd("an op"))?, debit.event.ok_or_else(|| odd("an event"))?);
    let drawn = credits(debit.credits.saturating_neg())?;
    let used_after = debit.budget_used_after.ok_or_else(|| odd("the use of its budget"))?;
    let until = Until { at: debit.at, before: Some((debit.entry, event)) };
    let history = History::read(&mut *connection, debit.account, until).await?;
    let state = state(&debit, &after, &Marks::of(&mut *connection, debit.account, op).await?)?;
    Ok(AccountReceipt {
        recorded_at,
        drawn,
        kept: state.kept_of(drawn),
        lots: lots(&mut *connection, &debit).await?,
        state,
        after,
        key_name: key_name(&mut *connection, debit.key).await?,
        budget_limit: history.budget_limit(),
        budget_used_before: used_after.saturating_sub(drawn),
        outcome: outcomes::read(connection, debit.account, op).await?,
        debit,
    })
}

async fn key_name(connection: &mut PgConnection, key: Option<KeyId>) -> Result<Option<String>, LedgerError> {
    let Some(key) = key else { return Ok(None) };
    let named = sqlx::query_scalar("SELECT name FROM api_keys WHERE key_id = $1").bind(key.as_uuid());
    Ok(named.fetch_optional(connection).await?)
}

/// What each lot held before and after: by the account's last mark before the debit, and what has moved since that.
async fn lots(connection: &mut PgConnection, debit: &Entry) -> Result<Vec<(LotDrawn, String)>, LedgerError> {
    let odd = || LedgerError::Corrupt(format!("entry {}: a debit of lots that are not there", debit.entry));
    let rows: Vec<RawLot> = sqlx::query_as(include_str!("../../queries/receipt_lots.sql"))
        .bind(debit.account.as_uuid())
        .bind(debit.split.iter().map(|draw| lot_number(draw.lot)).collect::<Vec<_>>())
        .bind(stamp(debit.at)?)
        .bind(bigint(debit.entry)?)
        .bind(bigint(debit.seq.ok_or_else(odd)?)?)
        .fetch_all(connection)
        .await?;
    let drawn = debit.split.iter().map(|draw| {
        let raw = rows.iter().find(|raw| raw.lot_id == lot_number(draw.lot)).ok_or_else(odd)?;
        let (lot, before) = (columns::lot(raw.lot_id)?, credits(raw.before.max(0))?);
        let after = before.saturating_sub(draw.credits); // a shortfall is in the account's overdraft
        Ok((LotDrawn { lot, drawn: draw.credits, before, after }, raw.product.clone()))
    });
    drawn.collect()
}
