//! Holds that wait to be settled or confirmed, how their requests ended, and requests under an `Idempotency-Key`: rows that come and go with a debit.

use sqlx::PgConnection;

use crate::columns::{shard_number, stamp};
use crate::outcomes::write_outcomes;
use crate::record::known::AccountOp;
use crate::record::plan::Plan;
use crate::{Fence, LedgerError};

impl Plan {
    /// What was opened first, then what was closed: within one batch a debit may be both.
    pub(super) async fn write_open_requests(
        &self,
        connection: &mut PgConnection,
        fence: Fence,
    ) -> Result<(), LedgerError> {
        if !self.holds.is_empty() {
            sqlx::query(include_str!("../../../queries/open_holds.sql"))
                .bind(shard_number(fence.shard))
                .bind(self.holds.keys().map(|(_, op)| op.as_uuid()).collect::<Vec<_>>())
                .bind(self.holds.keys().map(|(account, _)| account.as_uuid()).collect::<Vec<_>>())
                .bind(self.holds.values().map(|hold| stamp(hold.until)).collect::<Result<Vec<_>, _>>()?)
                .bind(self.holds.values().map(|hold| stamp(hold.drawn_at)).collect::<Result<Vec<_>, _>>()?)
                .execute(&mut *connection)
                .await?;
        }
        if !self.extended.is_empty() {
            sqlx::query(include_str!("../../../queries/extend_holds.sql"))
                .bind(self.extended.keys().map(|(_, op)| op.as_uuid()).collect::<Vec<_>>())
                .bind(self.extended.keys().map(|(account, _)| account.as_uuid()).collect::<Vec<_>>())
                .bind(self.extended.values().map(|until| stamp(*until)).collect::<Result<Vec<_>, _>>()?)
                .execute(&mut *connection)
                .await?;
        }
        write_outcomes(&mut *connection, &self.outcomes).await?;
        if !self.idempotency.is_empty() {
            let marks = || self.idempotency.values();
            sqlx::query(include_str!("../../../queries/mark_idempotency.sql"))
                .bind(shard_number(fence.shard))
                .bind(self.idempotency.keys().map(|(account, _)| account.as_uuid()).collect::<Vec<_>>())
                .bind(self.idempotency.keys().map(|(_, key)| key.as_uuid()).collect::<Vec<_>>())
                .bind(marks().map(|mark| mark.op.as_uuid()).collect::<Vec<_>>())
                .bind(marks().map(|mark| mark.under.fingerprint.as_uuid()).collect::<Vec<_>>())
                .bind(marks().map(|mark| stamp(mark.under.in_use_until)).collect::<Result<Vec<_>, _>>()?)
                .bind(marks().map(|mark| stamp(mark.at)).collect::<Result<Vec<_>, _>>()?)
                .execute(&mut *connection)
                .await?;
        }
        forget(&mut *connection, include_str!("../../../queries/close_holds.sql"), &self.closed).await?;
        forget(connection, include_str!("../../../queries/free_idempotency.sql"), &self.freed).await
    }
}

async fn forget(
    connection: &mut PgConnection,
    statement: &'static str,
    debits: &[AccountOp],
) -> Result<(), LedgerError> {
    if debits.is_empty() {
        return Ok(());
    }
    sqlx::query(statement)
        .bind(debits.iter().map(|(_, op)| op.as_uuid()).collect::<Vec<_>>())
        .bind(debits.iter().map(|(account, _)| account.as_uuid()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
