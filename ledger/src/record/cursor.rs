//! The cursor: which event is next, moved by compare-and-set before anything else of the batch is written.

use metering::EventId;
use metering::stream_entry::UNDECODABLE;
use sqlx::PgConnection;

use crate::LedgerError;
use crate::columns::{bigint, shard_number};
use crate::record::{Piece, Step};

/// Whether the batch is the next piece of the stream without a gap; the last event, or `None` when it is empty.
pub(super) fn check<'p, 'a>(piece: &'p Piece<'a>) -> Result<Option<&'p Step<'a>>, LedgerError> {
    let incarnation = piece.fence.incarnation;
    let mut sequence = piece.from.map_or(0, |from| from.saturating_add(1));
    for event in &piece.steps {
        let expected = EventId { incarnation, sequence };
        if event.id != expected {
            return Err(LedgerError::OutOfOrder { expected, found: event.id });
        }
        sequence = sequence.saturating_add(1);
    }
    Ok(piece.steps.last())
}

/// Moves the cursor from where the batch begins to where it ends. The shard's row stays locked until the commit, so that
/// everything else that follows the events of this shard (seq, budgets' use, what remains of lots) has one writer.
pub(super) async fn advance(
    connection: &mut PgConnection,
    piece: &Piece<'_>,
    last: &Step<'_>,
) -> Result<(), LedgerError> {
    let fence = piece.fence;
    let event = last.event.or_else(|| last.entry?.event.as_ref().ok());
    let kind = event.map_or(UNDECODABLE, |event| event.body.kind());
    let moved = sqlx::query(include_str!("../../queries/advance_cursor.sql"))
        .bind(shard_number(fence.shard))
        .bind(bigint(fence.epoch)?)
        .bind(bigint(fence.certification)?)
        .bind(bigint(fence.incarnation)?)
        .bind(piece.from.map(bigint).transpose()?)
        .bind(bigint(last.id.sequence)?)
        .bind(event.and_then(|event| event.body.op()).map(|op| op.as_uuid()))
        .bind(kind)
        .execute(connection)
        .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(LedgerError::Fenced { shard: fence.shard }) }
}
