//! Incidents: what an operator should know of.

use metering::Shard;
use serde_json::Value;
use sqlx::PgConnection;

use crate::columns::{kind_word, shard_number};
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Writes an incident for operators.
    pub async fn report_incident(&self, shard: Shard, kind: &str, detail: &Value) -> Result<(), LedgerError> {
        let mut connection = self.pool.acquire().await?;
        write_incident(&mut connection, shard, kind, detail).await
    }
}

pub(crate) async fn write_incident(
    connection: &mut PgConnection,
    shard: Shard,
    kind: &str,
    detail: &Value,
) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO incidents (shard_kind, shard, kind, detail) VALUES ($1, $2, $3, $4)")
        .bind(kind_word(shard.kind))
        .bind(shard_number(shard))
        .bind(kind)
        .bind(detail)
        .execute(connection)
        .await?;
    Ok(())
}
