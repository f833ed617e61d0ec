//! The fence: every commit of an owner names epoch, certification and incarnation, and fails when one has moved on.

use metering::Shard;
use serde_json::Value;
use sqlx::PgConnection;

use crate::columns::{bigint, count, kind_word, shard_number};
use crate::incidents::write_incident;
use crate::pool::commit;
use crate::{Ledger, LedgerError, ShardState};

/// What a shard's owner must still be for its commit to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The shard.
    pub shard: Shard,
    /// The claim.
    pub epoch: u64,
    /// The comparison of Redis with the book.
    pub certification: u64,
    /// The live state.
    pub incarnation: u64,
}

impl Ledger {
    /// Takes a new certification number, above `at_least` and above every one given before, and writes it into the
    /// shard's row: from then on every commit under an older one fails.
    pub async fn raise_fence(&self, shard: Shard, epoch: u64, at_least: u64) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let number: i64 = sqlx::query_scalar(
            "UPDATE install SET certification = greatest(certification, $1) + 1 RETURNING certification",
        )
        .bind(bigint(at_least)?)
        .fetch_one(&mut *transaction)
        .await?;
        let raised = sqlx::query(include_str!("../queries/raise_fence.sql"))
            .bind(kind_word(shard.kind))
            .bind(shard_number(shard))
            .bind(bigint(epoch)?)
            .bind(number)
            .execute(&mut *transaction)
            .await?;
        if raised.rows_affected() == 0 {
            return Err(LedgerError::Fenced { shard });
        }
        commit(transaction).await?;
        count(number)
    }

    /// Begins a new incarnation, above `at_least`: `<incarnation>-0` is the next event. `why` goes into an incident.
    pub async fn start_incarnation(&self, fence: Fence, at_least: u64, why: &Value) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let begun: Option<(i64, Option<i64>)> = sqlx::query_as(include_str!("../queries/start_incarnation.sql"))
            .bind(kind_word(fence.shard.kind))
            .bind(shard_number(fence.shard))
            .bind(bigint(fence.epoch)?)
            .bind(bigint(fence.certification)?)
            .bind(bigint(fence.incarnation)?)
            .bind(bigint(at_least)?)
            .fetch_optional(&mut *transaction)
            .await?;
        let (incarnation, followed_to) = begun.ok_or(LedgerError::Fenced { shard: fence.shard })?;
        // A loss is put down to the rebuild that followed on its incarnation, unless the book was past its number: then a tail had
        // been lost before.
        let mut why = why.clone();
        if let Value::Object(why) = &mut why {
            why.insert("replaced".to_owned(), fence.incarnation.into());
            why.insert("incarnation".to_owned(), incarnation.into());
            why.insert("followed_to".to_owned(), followed_to.into());
        }
        write_incident(&mut transaction, fence.shard, "rebuild", &why).await?;
        commit(transaction).await?;
        count(incarnation)
    }

    /// Says how far the live state is.
    pub async fn set_state(&self, fence: Fence, state: ShardState) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?;
        sqlx::query("UPDATE shards SET state = $3, updated_at = clock_timestamp() WHERE kind = $1 AND number = $2")
            .bind(kind_word(fence.shard.kind))
            .bind(shard_number(fence.shard))
            .bind(state.as_str())
            .execute(&mut *transaction)
            .await?;
        commit(transaction).await
    }
}

/// Locks the shard's row for this transaction, if the fence still stands.
pub(crate) async fn hold(connection: &mut PgConnection, fence: Fence) -> Result<(), LedgerError> {
    let held: Option<i32> = sqlx::query_scalar(include_str!("../queries/hold_fence.sql"))
        .bind(kind_word(fence.shard.kind))
        .bind(shard_number(fence.shard))
        .bind(bigint(fence.epoch)?)
        .bind(bigint(fence.certification)?)
        .bind(bigint(fence.incarnation)?)
        .fetch_optional(connection)
        .await?;
    held.map(drop).ok_or(LedgerError::Fenced { shard: fence.shard })
}
