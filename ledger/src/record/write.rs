//! Writing a plan: a few statements, however many events.

mod lots;
mod open_requests;

use std::collections::BTreeMap;

use metering::{AccountId, KeyId, TimeMs};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::change::append;
use crate::columns::{Ids, bigint, shard_number, stamp};
use crate::entries::{EntriesTransaction, insert};
use crate::key_days::write_key_days;
use crate::record::plan::Plan;
use crate::record::{Recorded, letters};
use crate::{Fence, LedgerError};

impl Plan {
    pub(super) async fn write(
        mut self,
        transaction: &mut EntriesTransaction,
        fence: Fence,
    ) -> Result<Recorded, LedgerError> {
        self.write_accounts(&mut *transaction).await?;
        self.write_lots(&mut *transaction, fence).await?;
        insert(&mut *transaction, fence.shard, fence.incarnation, &self.entries).await?;
        self.write_key_use(&mut *transaction).await?;
        write_key_days(&mut *transaction, &self.key_days).await?;
        self.write_deliveries(&mut *transaction, fence).await?;
        self.write_undos(&mut *transaction, fence).await?;
        self.write_open_requests(&mut *transaction, fence).await?;
        if !self.changes.is_empty() {
            append(&mut *transaction, fence.shard, &self.changes).await?;
        }
        letters::write(transaction, fence, &self.letters).await?;
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
        let used: Vec<i64> = followed().map(|account| account.budget.used.into()).collect();
        let ends = followed().map(|account| stamp(account.budget.period_end)).collect::<Result<Vec<_>, _>>()?;
        sqlx::query(include_str!("../../queries/follow_accounts.sql"))
            .bind(accounts.uuids())
            .bind(seqs)
            .bind(used)
            .bind(ends)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn write_key_use(&self, connection: &mut PgConnection) -> Result<(), LedgerError> {
        let mut used: BTreeMap<KeyId, TimeMs> = BTreeMap::new();
        for entry in &self.entries {
            if let Some(key) = entry.key {
                let at = used.entry(key).or_insert(entry.at);
                *at = entry.at.max(*at);
            }
        }
        if used.is_empty() {
            return Ok(());
        }
        sqlx::query(include_str!("../../queries/note_key_use.sql"))
            .bind(used.keys().map(KeyId::as_uuid).collect::<Vec<_>>())
            .bind(used.values().map(|at| stamp(*at)).collect::<Result<Vec<_>, _>>()?)
            .execute(connection)
            .await?;
        Ok(())
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
                    .bind(row.mark.kept.map(i64::from))
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
