//! Undos that have nothing to undo: their debit was not drawn and can't come any more.

use metering::{AccountId, Change, OpId, Split, TimeMs};
use sqlx::FromRow;
use uuid::Uuid;

use crate::change::append;
use crate::columns::{shard_number, stamp};
use crate::fence::hold;
use crate::pool::commit;
use crate::{Fence, Ledger, LedgerError};

#[derive(FromRow)]
struct Overdue {
    debit_op: Uuid,
    account_id: Uuid,
}

impl Ledger {
    /// Settles undos whose debit can't come any more: those with `not_after` before `drained`, the time up to which
    /// the stream is in the book. Returns how many; their outbox rows give nothing back.
    pub async fn settle_undos(&self, fence: Fence, drained: TimeMs) -> Result<u64, LedgerError> {
        // As `expire_due`: nearly always there is none.
        let any = sqlx::query_scalar(include_str!("../../queries/is_an_undo_overdue.sql"))
            .bind(shard_number(fence.shard))
            .bind(stamp(drained)?);
        if !any.fetch_one(&self.pool).await? {
            return Ok(0);
        }
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?;
        let overdue: Vec<Overdue> = sqlx::query_as(include_str!("../../queries/settle_overdue_undos.sql"))
            .bind(shard_number(fence.shard))
            .bind(stamp(drained)?)
            .fetch_all(&mut *transaction)
            .await?;
        if overdue.is_empty() {
            return Ok(0);
        }
        let changes: Vec<(AccountId, Change)> = overdue.iter().map(nothing_to_undo).collect();
        append(&mut transaction, fence.shard, &changes).await?;
        commit(transaction).await?;
        Ok(u64::try_from(changes.len()).unwrap_or(u64::MAX)) // always fits
    }
}

fn nothing_to_undo(overdue: &Overdue) -> (AccountId, Change) {
    let change = Change::UndoSettled {
        debit_op: OpId::from_uuid(overdue.debit_op),
        split: Split::new(),
        period_end: TimeMs::EPOCH, // counts in no period: nothing was drawn
        counted: true,
        key: None,
        debited_at: TimeMs::EPOCH,
    };
    (AccountId::from_uuid(overdue.account_id), change)
}
