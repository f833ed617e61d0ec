//! Marks: how far lots had moved at some of an account's events, so that a receipt needs the entries since the last mark only.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::LedgerError;

/// Events between two marks: what a receipt reads at most, and how seldom a row of marks is written.
pub(crate) const MARK_EVERY: u64 = 1_000;
/// Accounts, and events of each, in one statement: what may be sorted in memory.
const ACCOUNTS_MAX: i64 = 10;
const EVENTS_MAX: i64 = 5_000;
/// Statements of one pass: with twenty thousand entries a pass, four times what comes in, so that an account of before catches up.
const STATEMENTS_MAX: usize = 16;

/// Marks accounts that have gone so far since their last mark, in the caller's transaction, which nobody else's for these accounts runs beside.
pub(crate) async fn mark_lots(connection: &mut PgConnection, accounts: &[Uuid], every: u64) -> Result<(), LedgerError> {
    let every = i64::try_from(every).unwrap_or(i64::MAX); // always fits
    for _ in 0..STATEMENTS_MAX {
        let marked = sqlx::query(include_str!("../queries/mark_lots.sql"))
            .bind(accounts)
            .bind(every)
            .bind(ACCOUNTS_MAX)
            .bind(EVENTS_MAX)
            .execute(&mut *connection)
            .await?
            .rows_affected();
        if marked == 0 {
            break;
        }
    }
    Ok(())
}
