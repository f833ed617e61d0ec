//! Debits that gateways have witnessed and the book did not have: recorded meanwhile, or lost.

use metering::Shard;
use serde_json::json;
use sqlx::PgConnection;

use crate::columns::{bigint, count, shard_number};
use crate::fence::hold;
use crate::pool::commit;
use crate::{Fence, Ledger, LedgerError};

/// Debits held against the book in one transaction: the shard stands still for that long.
const DEBITS_A_PAGE: i64 = 5_000;

/// What a look at the waiting debits of a shard has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// In the book now.
    pub recorded: u64,
    /// Lost: the book will never have them.
    pub lost: u64,
    /// Credits that those had drawn.
    pub credits: u64,
}

/// What live state counted, asked after the debits were read that it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The last of those debits.
    pub up_to_row: u64,
    /// The number of the shard's last event.
    pub sequence: u64,
}

impl Ledger {
    /// The last debit of a shard that waits to be found in the book; `None` where none does.
    pub async fn last_waiting_debit(&self, shard: Shard) -> Result<Option<u64>, LedgerError> {
        let row: Option<i64> = sqlx::query_scalar("SELECT max(row_id) FROM journal_debits WHERE shard = $1")
            .bind(shard_number(shard))
            .fetch_one(&self.pool)
            .await?;
        row.map(count).transpose()
    }

    /// Holds the waiting debits of a shard against the book, those first that have waited longest, some thousand at once. One is lost when its incarnation was replaced, when the cursor has passed its
    /// number and the book has another event there, or when live state counts less than its number.
    pub async fn reconcile_journal(&self, fence: Fence, counted: Counted) -> Result<Reconciled, LedgerError> {
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?; // what the book has of this shard stands until the commit
        let page: Vec<i64> = sqlx::query_scalar(include_str!("../../queries/page_of_waiting_debits.sql"))
            .bind(shard_number(fence.shard))
            .bind(DEBITS_A_PAGE)
            .fetch_all(&mut *transaction)
            .await?;
        if page.is_empty() {
            return Ok(Reconciled::default());
        }
        let recorded = sqlx::query(include_str!("../../queries/forget_recorded_debits.sql"))
            .bind(shard_number(fence.shard))
            .bind(&page)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        let credits = enter_losses(&mut transaction, fence, counted, &page).await?;
        commit(transaction).await?;
        let sum = credits.iter().try_fold(0_i64, |sum, credits| sum.checked_add(*credits)).unwrap_or(i64::MAX);
        Ok(Reconciled { recorded, lost: u64::try_from(credits.len()).unwrap_or(u64::MAX), credits: count(sum)? })
    }
}

/// Those of a page that are lost, made losses of the incident that lost them; answers the credits of each.
async fn enter_losses(
    connection: &mut PgConnection,
    fence: Fence,
    counted: Counted,
    page: &[i64],
) -> Result<Vec<i64>, LedgerError> {
    let lost: Vec<(i64, Option<i64>)> = sqlx::query_as(include_str!("../../queries/find_lost.sql"))
        .bind(shard_number(fence.shard))
        .bind(page)
        .bind(bigint(counted.up_to_row)?)
        .bind(bigint(counted.sequence)?)
        .fetch_all(&mut *connection)
        .await?;
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let unexplained = lost.iter().any(|(_, rebuild)| rebuild.is_none());
    let tail = if unexplained { Some(tail_lost(&mut *connection, fence).await?) } else { None };
    let (rows, incidents): (Vec<i64>, Vec<Option<i64>>) =
        lost.into_iter().map(|(row, rebuild)| (row, rebuild.or(tail))).unzip();
    let credits = sqlx::query_scalar(include_str!("../../queries/enter_losses.sql"))
        .bind(shard_number(fence.shard))
        .bind(rows)
        .bind(incidents)
        .fetch_all(connection)
        .await?;
    Ok(credits)
}

/// Live state went on as it was, and yet events were lost that the book did not have: one incident a certification.
async fn tail_lost(connection: &mut PgConnection, fence: Fence) -> Result<i64, LedgerError> {
    let detail = json!({
        "why": "redis lost events that were not in the book yet, and went on from before them",
        "incarnation": fence.incarnation, "certification": fence.certification,
    });
    let known: Option<i64> = sqlx::query_scalar(
        "SELECT incident_id FROM incidents WHERE kind = 'tail_lost' AND shard = $1 AND detail = $2 ORDER BY incident_id LIMIT 1",
    )
    .bind(shard_number(fence.shard))
    .bind(&detail)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let incident = sqlx::query_scalar(
        "INSERT INTO incidents (shard_kind, shard, kind, detail) VALUES ('accounts', $1, 'tail_lost', $2) RETURNING incident_id",
    )
    .bind(shard_number(fence.shard))
    .bind(&detail)
    .fetch_one(connection)
    .await?;
    Ok(incident)
}
