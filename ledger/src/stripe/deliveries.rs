//! Deliveries for operators: lists, one in full, and what they decide about it.

use serde_json::json;
use sqlx::PgConnection;

use super::delivery::{DeliveryFilter, DeliveryState, StoredDelivery};
use super::inbox::RawDelivery;
use crate::change::{By, write_audit};
use crate::columns::{count, stamp};
use crate::pool::commit;
use crate::{Ledger, LedgerError, Subject};

impl Ledger {
    /// Deliveries that a filter lets through, latest first, without their bodies.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<StoredDelivery>, LedgerError> {
        let rows: Vec<RawDelivery> = sqlx::query_as(include_str!("../../queries/stripe_deliveries.sql"))
            .bind(filter.state.map(DeliveryState::as_str))
            .bind(&filter.kind)
            .bind(filter.account.map(|account| account.as_uuid()))
            .bind(filter.before.as_ref().map(|cursor| stamp(cursor.received_at)).transpose()?)
            .bind(filter.before.as_ref().map(|cursor| &cursor.event))
            .bind(i64::from(filter.limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(StoredDelivery::try_from).collect()
    }

    /// One delivery in full.
    pub async fn delivery(&self, event: &str) -> Result<Option<StoredDelivery>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, event).await
    }

    /// How many deliveries wait and how many are parked, for metrics.
    pub async fn delivery_backlog(&self) -> Result<(u64, u64), LedgerError> {
        let (waiting, parked): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM stripe_deliveries WHERE state = 'waiting'), \
             (SELECT count(*) FROM stripe_deliveries WHERE state = 'parked')",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((count(waiting)?, count(parked)?))
    }

    /// Says that nothing is to be done about a parked delivery; `by` says why.
    pub async fn resolve_delivery(&self, event: &str, by: &By) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        let found = lock(&mut transaction, event).await?;
        if found.state != DeliveryState::Parked {
            return Err(LedgerError::DeliveryNotParked { event: event.to_owned(), state: found.state });
        }
        sqlx::query(
            "UPDATE stripe_deliveries SET state = 'resolved', waits_for = '{}', applied_at = $2 WHERE event = $1",
        )
        .bind(event)
        .bind(stamp(by.at)?)
        .execute(&mut *transaction)
        .await?;
        audit(&mut transaction, &found, DeliveryState::Resolved, "delivery_resolved", by).await?;
        commit(transaction).await
    }

    /// Has a delivery applied again from its stored bytes, however far it is. What is in the book already changes nothing.
    pub async fn replay_delivery(&self, event: &str, by: &By) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        let found = lock(&mut transaction, event).await?;
        sqlx::query(
            "UPDATE stripe_deliveries SET state = 'waiting', parked_code = NULL, parked_detail = NULL, waits_for = '{}', \
             attempts = 0, applied_at = NULL, next_at = $2 WHERE event = $1",
        )
        .bind(event)
        .bind(stamp(by.at)?)
        .execute(&mut *transaction)
        .await?;
        audit(&mut transaction, &found, DeliveryState::Waiting, "delivery_replayed", by).await?;
        commit(transaction).await
    }
}

async fn lock(connection: &mut PgConnection, event: &str) -> Result<StoredDelivery, LedgerError> {
    sqlx::query("SELECT FROM stripe_deliveries WHERE event = $1 FOR UPDATE")
        .bind(event)
        .execute(&mut *connection)
        .await?;
    read(connection, event).await?.ok_or_else(|| LedgerError::not_found(Subject::Delivery, &event))
}

async fn read(connection: &mut PgConnection, event: &str) -> Result<Option<StoredDelivery>, LedgerError> {
    let raw: Option<RawDelivery> = sqlx::query_as(include_str!("../../queries/stripe_delivery.sql"))
        .bind(event)
        .fetch_optional(connection)
        .await?;
    raw.map(StoredDelivery::try_from).transpose()
}

async fn audit(
    connection: &mut PgConnection,
    found: &StoredDelivery,
    now: DeliveryState,
    action: &'static str,
    by: &By,
) -> Result<(), LedgerError> {
    let before = json!({ "state": found.state, "parked": found.parked });
    let subject = Some(found.delivery.event.clone());
    write_audit(connection, by, action, found.account, subject, Some(before), json!({ "state": now })).await
}
