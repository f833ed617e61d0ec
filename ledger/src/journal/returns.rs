//! Give-backs and settlements that gateways have promised: where their event was lost, the owner asks again.

use metering::{AccountId, Credits, EventId, IdempotencyKey, OpId, TimeMs};
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{Stamp, count, credits, shard_number, stamp, time};
use crate::fence::hold;
use crate::pool::commit;
use crate::{Fence, Ledger, LedgerError};

/// A promise that is not in the book, though its debit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueReturn {
    /// Who paid.
    pub account: AccountId,
    /// The debit's op.
    pub debit_op: OpId,
    /// The debit's event.
    pub debit_event: EventId,
    /// When it drew, by the shard's clock.
    pub drawn_at: TimeMs,
    /// What the caller was told to pay in the end; nothing = all of it goes back.
    pub kept: Credits,
    /// The `Idempotency-Key` it drew under.
    pub idempotency: Option<IdempotencyKey>,
}

#[derive(FromRow)]
struct RawReturn {
    op: Uuid,
    account_id: Uuid,
    incarnation: i64,
    sequence: i64,
    kept: i64,
    drawn_at: Stamp,
    key: Option<Uuid>,
}

impl Ledger {
    /// Promises of a shard from before `before`, by its clock, that did not reach the book; the stream up to then must be drained. What
    /// reached it is forgotten here.
    pub async fn due_returns(&self, fence: Fence, before: TimeMs, limit: u32) -> Result<Vec<DueReturn>, LedgerError> {
        let any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM journal_returns WHERE shard = $1)")
            .bind(shard_number(fence.shard))
            .fetch_one(&self.pool)
            .await?;
        if !any {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?;
        sqlx::query(include_str!("../../queries/forget_done_returns.sql"))
            .bind(shard_number(fence.shard))
            .execute(&mut *transaction)
            .await?;
        let due: Vec<RawReturn> = sqlx::query_as(include_str!("../../queries/overdue_returns.sql"))
            .bind(shard_number(fence.shard))
            .bind(stamp(before)?)
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await?;
        commit(transaction).await?;
        due.into_iter().map(DueReturn::try_from).collect()
    }

    /// The owner has asked for it, at `drained` by the shard's clock: it is waited for before it is asked for again.
    pub async fn return_was_asked(&self, fence: Fence, due: &DueReturn, drained: TimeMs) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?;
        sqlx::query("UPDATE journal_returns SET asked_at = $3 WHERE op = $1 AND account_id = $2")
            .bind(due.debit_op.as_uuid())
            .bind(due.account.as_uuid())
            .bind(stamp(drained)?)
            .execute(&mut *transaction)
            .await?;
        commit(transaction).await
    }
}

impl TryFrom<RawReturn> for DueReturn {
    type Error = LedgerError;

    fn try_from(raw: RawReturn) -> Result<Self, LedgerError> {
        Ok(Self {
            account: AccountId::from_uuid(raw.account_id),
            debit_op: OpId::from_uuid(raw.op),
            debit_event: EventId { incarnation: count(raw.incarnation)?, sequence: count(raw.sequence)? },
            drawn_at: time(raw.drawn_at)?,
            kept: credits(raw.kept)?,
            idempotency: raw.key.map(IdempotencyKey::from_uuid),
        })
    }
}
