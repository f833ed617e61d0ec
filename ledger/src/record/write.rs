//! Writing a plan: a few statements, however many events.

use metering::{AccountId, Credits, LotId};
use serde_json::json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::change::append;
use crate::columns::{Ids, bigint, credits, lot_number, shard_number, stamp};
use crate::entries::insert;
use crate::owner::write_incident;
use crate::record::plan::{LotDelta, Plan};
use crate::record::{Recorded, Shortfall};
use crate::{Fence, LedgerError};

/// A lot that can't take its delta as it is.
#[derive(FromRow)]
struct OddLot {
    lot_id: i64,
    /// What would remain; null where the account has no such lot.
    after: Option<i64>,
}

impl Plan {
    pub(super) async fn write(mut self, connection: &mut PgConnection, fence: Fence) -> Result<Recorded, LedgerError> {
        self.write_accounts(&mut *connection).await?;
        self.write_lots(&mut *connection, fence).await?;
        insert(&mut *connection, fence.shard, fence.incarnation, &self.entries).await?;
        self.write_deliveries(&mut *connection, fence).await?;
        self.write_undos(&mut *connection, fence).await?;
        if !self.changes.is_empty() {
            append(connection, fence.shard, &self.changes).await?;
        }
        Ok(self.recorded)
    }

    /// First of all, so that the accounts are locked before anything of theirs is.
    async fn write_accounts(&self, connection: &mut PgConnection) -> Result<(), LedgerError> {
        if self.accounts.is_empty() {
            return Ok(());
        }
        let accounts: Vec<AccountId> = self.accounts.keys().copied().collect();
        let followed = || self.accounts.values();
        let seqs = followed().map(|account| bigint(account.seq)).collect::<Result<Vec<_>, _>>()?;
        let used: Vec<i64> = followed().map(|account| account.budget_used.into()).collect();
        let ends = followed().map(|account| stamp(account.budget_period_end)).collect::<Result<Vec<_>, _>>()?;
        sqlx::query(include_str!("../../queries/follow_accounts.sql"))
            .bind(accounts.uuids())
            .bind(seqs)
            .bind(used)
            .bind(ends)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn write_lots(&mut self, connection: &mut PgConnection, fence: Fence) -> Result<(), LedgerError> {
        let moved: Vec<(LotId, LotDelta)> =
            self.lots.iter().filter(|(_, lot)| lot.delta != 0).map(|(id, lot)| (*id, *lot)).collect();
        if !moved.is_empty() {
            let odd: Vec<OddLot> = sqlx::query_as(include_str!("../../queries/move_lots.sql"))
                .bind(moved.iter().map(|(lot, _)| lot_number(*lot)).collect::<Vec<_>>())
                .bind(moved.iter().map(|(_, lot)| lot.account.as_uuid()).collect::<Vec<Uuid>>())
                .bind(moved.iter().map(|(_, lot)| lot.delta).collect::<Vec<_>>())
                .fetch_all(&mut *connection)
                .await?;
            for lot in odd {
                let shortfall = self.explain(&lot)?;
                book_shortfall(&mut *connection, fence, shortfall).await?;
                self.recorded.shortfalls.push(shortfall);
            }
        }
        if !self.swept.is_empty() {
            let times = self.swept.iter().map(|(_, at)| stamp(*at)).collect::<Result<Vec<_>, _>>()?;
            sqlx::query(include_str!("../../queries/sweep_lots.sql"))
                .bind(self.swept.iter().map(|(lot, _)| lot_number(*lot)).collect::<Vec<_>>())
                .bind(times)
                .execute(connection)
                .await?;
        }
        Ok(())
    }

    /// Too little is a shortfall, which is booked; too much, or no such lot, can't be and stops the batch.
    fn explain(&self, odd: &OddLot) -> Result<Shortfall, LedgerError> {
        let lot = crate::columns::lot(odd.lot_id)?;
        let delta =
            self.lots.get(&lot).ok_or_else(|| LedgerError::Corrupt(format!("a move of {lot} nobody asked for")))?;
        match odd.after {
            Some(after) if after < 0 => {
                Ok(Shortfall { account: delta.account, lot, credits: credits(after.saturating_neg())? })
            }
            Some(_) => Err(LedgerError::Unappliable {
                event: delta.last,
                why: format!("{lot} would hold more than it was granted"),
            }),
            None => Err(LedgerError::Unappliable { event: delta.last, why: format!("{} has no {lot}", delta.account) }),
        }
    }

    async fn write_deliveries(&mut self, connection: &mut PgConnection, fence: Fence) -> Result<(), LedgerError> {
        let mut rows = 0_u64;
        if !self.delivered.is_empty() {
            let delivered = || self.delivered.iter();
            rows = sqlx::query(include_str!("../../queries/deliver_rows.sql"))
                .bind(bigint(fence.incarnation)?)
                .bind(delivered().map(|row| bigint(row.row)).collect::<Result<Vec<_>, _>>()?)
                .bind(delivered().map(|row| bigint(row.sequence)).collect::<Result<Vec<_>, _>>()?)
                .bind(delivered().map(|row| bigint(row.seq)).collect::<Result<Vec<_>, _>>()?)
                .bind(delivered().map(|row| stamp(row.at)).collect::<Result<Vec<_>, _>>()?)
                .execute(&mut *connection)
                .await?
                .rows_affected();
        }
        if !self.installed.is_empty() {
            let installed = || self.installed.iter();
            let by_install = sqlx::query(include_str!("../../queries/deliver_by_install.sql"))
                .bind(bigint(fence.incarnation)?)
                .bind(installed().map(|row| row.account.as_uuid()).collect::<Vec<Uuid>>())
                .bind(installed().map(|row| bigint(row.version)).collect::<Result<Vec<_>, _>>()?)
                .bind(installed().map(|row| bigint(row.sequence)).collect::<Result<Vec<_>, _>>()?)
                .bind(installed().map(|row| stamp(row.at)).collect::<Result<Vec<_>, _>>()?)
                .execute(connection)
                .await?;
            rows = rows.saturating_add(by_install.rows_affected());
        }
        self.recorded.delivered = rows;
        Ok(())
    }

    /// Rare, so row by row.
    async fn write_undos(&self, connection: &mut PgConnection, fence: Fence) -> Result<(), LedgerError> {
        for ((account, debit_op), row) in &self.undos {
            let state = if row.mark.open { "open" } else { "settled" };
            let statement = match row.asked {
                Some(asked) => sqlx::query(include_str!("../../queries/ask_undo.sql"))
                    .bind(debit_op.as_uuid())
                    .bind(account.as_uuid())
                    .bind(state)
                    .bind(row.mark.returned)
                    .bind(shard_number(fence.shard))
                    .bind(asked.op.as_uuid())
                    .bind(stamp(asked.not_after)?)
                    .bind(stamp(asked.at)?),
                None => {
                    sqlx::query("UPDATE undos SET state = $3, returned = $4 WHERE debit_op = $1 AND account_id = $2")
                        .bind(debit_op.as_uuid())
                        .bind(account.as_uuid())
                        .bind(state)
                        .bind(row.mark.returned)
                }
            };
            statement.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// Never clamped away in silence: what the lot did not have is the account's overdraft, and an incident says so.
async fn book_shortfall(connection: &mut PgConnection, fence: Fence, shortfall: Shortfall) -> Result<(), LedgerError> {
    let missing: Credits = shortfall.credits;
    sqlx::query("UPDATE accounts SET overdraft = overdraft + $2 WHERE account_id = $1")
        .bind(shortfall.account.as_uuid())
        .bind(i64::from(missing))
        .execute(&mut *connection)
        .await?;
    let detail = json!({ "account": shortfall.account, "lot": shortfall.lot, "credits": missing });
    write_incident(connection, fence.shard, "shortfall", &detail).await
}
