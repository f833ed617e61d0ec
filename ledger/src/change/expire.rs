//! The sweep: tells live state to take out what is left of lots past their expiry.

use metering::{AccountId, Change, LotId, TimeMs};
use sqlx::FromRow;
use uuid::Uuid;

use crate::change::append;
use crate::columns::{self, bigint, lot_number, shard_number, stamp};
use crate::fence::hold;
use crate::pool::commit;
use crate::{Fence, Ledger, LedgerError};

#[derive(FromRow)]
struct Due {
    lot_id: i64,
    account_id: Uuid,
    remaining: i64,
}

impl Ledger {
    /// For lots whose expiry is `grace_ms` ago: empty ones are marked swept, for others an outbox row is appended.
    /// At most `limit` lots; returns how many it found, so that a full page means more.
    pub async fn expire_due(&self, fence: Fence, now: TimeMs, grace_ms: u64, limit: u32) -> Result<u64, LedgerError> {
        let due_before = stamp(now.minus_ms(grace_ms))?;
        // Nearly always there is none, and each shard asks each second.
        let any = sqlx::query_scalar(include_str!("../../queries/is_a_lot_due.sql"))
            .bind(shard_number(fence.shard))
            .bind(due_before);
        if !any.fetch_one(&self.pool).await? {
            return Ok(0);
        }
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?;
        let accounts: Vec<Uuid> = sqlx::query_scalar(include_str!("../../queries/accounts_with_lots_due.sql"))
            .bind(shard_number(fence.shard))
            .bind(due_before)
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await?;
        if accounts.is_empty() {
            return Ok(0);
        }
        // Read only now that the accounts are locked: an operator may have moved an expiry a moment ago.
        let due: Vec<Due> = sqlx::query_as(include_str!("../../queries/lots_due.sql"))
            .bind(&accounts)
            .bind(due_before)
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await?;
        let (empty, full): (Vec<&Due>, Vec<&Due>) = due.iter().partition(|lot| lot.remaining == 0);
        let emptied: Vec<i64> = empty.iter().map(|lot| lot.lot_id).collect();
        sqlx::query("UPDATE lots SET swept_at = $2 WHERE lot_id = ANY ($1)")
            .bind(&emptied)
            .bind(stamp(now)?)
            .execute(&mut *transaction)
            .await?;
        let changes = full.iter().map(|due| expired(due)).collect::<Result<Vec<_>, _>>()?;
        if !changes.is_empty() {
            let appended = append(&mut transaction, fence.shard, &changes).await?;
            let lots: Vec<i64> = full.iter().map(|due| due.lot_id).collect();
            let rows = appended.iter().map(|appended| bigint(appended.row)).collect::<Result<Vec<_>, _>>()?;
            sqlx::query(include_str!("../../queries/mark_sweep_rows.sql"))
                .bind(&lots)
                .bind(&rows)
                .execute(&mut *transaction)
                .await?;
        }
        commit(transaction).await?;
        Ok(u64::try_from(due.len()).unwrap_or(u64::MAX)) // always fits
    }
}

fn expired(due: &Due) -> Result<(AccountId, Change), LedgerError> {
    let lot: LotId = columns::lot(due.lot_id)?;
    debug_assert_eq!(lot_number(lot), due.lot_id);
    Ok((AccountId::from_uuid(due.account_id), Change::LotExpired { lot }))
}
