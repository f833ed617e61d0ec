//! The cursor: which event is next, moved by compare-and-set before anything else of the batch is written.

use metering::{Event, EventId};
use sqlx::PgConnection;

use crate::LedgerError;
use crate::columns::{bigint, shard_number};
use crate::record::DrainBatch;

/// Whether the batch is the next piece of the stream without a gap; the last event, or `None` when it is empty.
pub(super) fn check(batch: &DrainBatch) -> Result<Option<&Event>, LedgerError> {
    let incarnation = batch.fence.incarnation;
    let mut sequence = batch.from.map_or(0, |from| from.saturating_add(1));
    for event in &batch.events {
        let expected = EventId { incarnation, sequence };
        if event.id != expected {
            return Err(LedgerError::OutOfOrder { expected, found: event.id });
        }
        sequence = sequence.saturating_add(1);
    }
    Ok(batch.events.last())
}

/// Moves the cursor from where the batch begins to where it ends. The shard's row stays locked until the commit, so that
/// everything else that follows the events of this shard (seq, budgets' use, what remains of lots) has one writer.
pub(super) async fn advance(
    connection: &mut PgConnection,
    batch: &DrainBatch,
    last: &Event,
) -> Result<(), LedgerError> {
    let fence = batch.fence;
    let moved = sqlx::query(include_str!("../../queries/advance_cursor.sql"))
        .bind(shard_number(fence.shard))
        .bind(bigint(fence.epoch)?)
        .bind(bigint(fence.certification)?)
        .bind(bigint(fence.incarnation)?)
        .bind(batch.from.map(bigint).transpose()?)
        .bind(bigint(last.id.sequence)?)
        .bind(last.body.op().map(|op| op.as_uuid()))
        .bind(last.body.kind())
        .execute(connection)
        .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(LedgerError::Fenced { shard: fence.shard }) }
}
