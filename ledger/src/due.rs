//! What comes due without anybody asking: holds that nobody settled, and idempotency marks a day old.

use metering::{AccountId, IDEMPOTENCY_MS, IdempotencyKey, OpId, TimeMs};
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{Stamp, shard_number, stamp, time};
use crate::fence::hold;
use crate::pool::commit;
use crate::{Fence, Ledger, LedgerError};

/// A hold that nobody has settled in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueHold {
    /// Who pays.
    pub account: AccountId,
    /// The hold's op.
    pub op: OpId,
    /// When it drew, by the shard's clock.
    pub drawn_at: TimeMs,
    /// Since when it is due, by the same.
    pub until: TimeMs,
    /// The `Idempotency-Key` it drew under.
    pub idempotency: Option<IdempotencyKey>,
}

#[derive(FromRow)]
struct RawHold {
    account_id: Uuid,
    op: Uuid,
    drawn_at: Stamp,
    hold_until: Stamp,
    key: Option<Uuid>,
}

impl Ledger {
    /// Holds of a shard whose time was over at `drained`, the time up to which the stream is in the book, oldest first, at most `limit` behind
    /// `after`. Those that somebody has asked to undo are left out: the book has decided about them.
    pub async fn due_holds(
        &self,
        fence: Fence,
        drained: TimeMs,
        after: Option<DueHold>,
        limit: u32,
    ) -> Result<Vec<DueHold>, LedgerError> {
        let (until, op) = after.map_or((TimeMs::EPOCH, Uuid::nil()), |after| (after.until, after.op.as_uuid()));
        let rows: Vec<RawHold> = sqlx::query_as(include_str!("../queries/due_holds.sql"))
            .bind(shard_number(fence.shard))
            .bind(stamp(drained)?)
            .bind(stamp(until)?)
            .bind(op)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        let due = rows.into_iter().map(|raw| {
            Ok(DueHold {
                account: AccountId::from_uuid(raw.account_id),
                op: OpId::from_uuid(raw.op),
                drawn_at: time(raw.drawn_at)?,
                until: time(raw.hold_until)?,
                idempotency: raw.key.map(IdempotencyKey::from_uuid),
            })
        });
        due.collect()
    }

    /// Idempotency marks of a shard that were a day old at `drained`: live state can let go of them, and then the book.
    pub async fn old_idempotency_marks(
        &self,
        fence: Fence,
        drained: TimeMs,
        limit: u32,
    ) -> Result<Vec<(AccountId, IdempotencyKey)>, LedgerError> {
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT account_id, key FROM idempotency_marks WHERE shard = $1 AND drawn_at <= $2 ORDER BY drawn_at LIMIT $3",
        )
        .bind(shard_number(fence.shard))
        .bind(stamp(drained.minus_ms(IDEMPOTENCY_MS))?)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let marks = rows.into_iter();
        Ok(marks.map(|(account, key)| (AccountId::from_uuid(account), IdempotencyKey::from_uuid(key))).collect())
    }

    /// Forgets these marks, but for those that another debit has left meanwhile.
    pub async fn forget_idempotency_marks(
        &self,
        fence: Fence,
        drained: TimeMs,
        marks: &[(AccountId, IdempotencyKey)],
    ) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?;
        sqlx::query(include_str!("../queries/forget_idempotency.sql"))
            .bind(stamp(drained.minus_ms(IDEMPOTENCY_MS))?)
            .bind(marks.iter().map(|(account, _)| account.as_uuid()).collect::<Vec<_>>())
            .bind(marks.iter().map(|(_, key)| key.as_uuid()).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        commit(transaction).await
    }
}
