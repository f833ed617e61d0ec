//! Entries that the cursor does not come to: those of no event, and those of events that were parked and are applied after all. They are
//! counted in the transaction that makes them.

use sqlx::PgConnection;
use uuid::Uuid;

use super::count::lock_cursor;
use crate::columns::{Stamp, stamp};
use crate::entries::{NewEntry, signed_total};
use crate::{EntryKind, Fence, LedgerError};

/// Counts those of these entries that the cursor has passed; they are written already. Before the first pass none is: that one looks for
/// what is of no event itself.
pub(crate) async fn count_late(
    connection: &mut PgConnection,
    fence: Fence,
    entries: &[NewEntry],
) -> Result<(), LedgerError> {
    let counts = |entry: &&NewEntry| matches!(entry.kind, EntryKind::Debit | EntryKind::GiveBack | EntryKind::Settle);
    let entries: Vec<&NewEntry> = entries.iter().filter(counts).collect();
    if entries.is_empty() {
        return Ok(());
    }
    let cursor = lock_cursor(&mut *connection, fence.shard).await?;
    let mut late: Vec<&NewEntry> = Vec::new();
    for entry in entries {
        match cursor.has_passed(fence.incarnation, entry.sequence)? {
            None => return Ok(()),
            Some(true) => late.push(entry),
            Some(false) => {}
        }
    }
    if late.is_empty() {
        return Ok(());
    }
    let each = || late.iter();
    let times = each().map(|entry| stamp(entry.at)).collect::<Result<Vec<Stamp>, _>>()?;
    sqlx::query(concat!(
        include_str!("../../queries/usage_from_late.sql"),
        include_str!("../../queries/usage_moves.sql"),
        include_str!("../../queries/usage_add.sql"),
    ))
    .bind(each().map(|entry| entry.account.as_uuid()).collect::<Vec<Uuid>>())
    .bind(each().map(|entry| entry.kind.as_str()).collect::<Vec<_>>())
    .bind(each().map(|entry| entry.debit_op.map(|op| op.as_uuid())).collect::<Vec<Option<Uuid>>>())
    .bind(each().map(|entry| signed_total(entry)).collect::<Result<Vec<i64>, _>>()?)
    .bind(each().map(|entry| i64::from(entry.lapsed)).collect::<Vec<_>>())
    .bind(each().map(|entry| entry.key.map(|key| key.as_uuid())).collect::<Vec<Option<Uuid>>>())
    .bind(each().map(|entry| entry.route.as_ref().map(|route| route.as_str().to_owned())).collect::<Vec<_>>())
    .bind(times)
    .execute(connection)
    .await?;
    Ok(())
}
