//! What a delivery has changed: the audit's rows of it, and of what operators decided about it.

use metering::{AccountId, TimeMs};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::delivery::StoredDelivery;
use crate::columns::{Stamp, stamp, time};
use crate::{Ledger, LedgerError};

/// Far more than clocks of two machines may differ.
const SKEW_MS: u64 = 3_600_000;

/// One change, as the audit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryChange {
    /// When.
    pub at: TimeMs,
    /// Who: `stripe`, or an operator.
    pub actor: String,
    /// What, as `lot_granted`.
    pub action: String,
    /// Whose account.
    pub account: Option<AccountId>,
    /// What it was about: a lot, a customer, the event itself.
    pub subject: Option<String>,
    /// What was so before.
    pub before: Option<Value>,
    /// What is so since.
    pub after: Option<Value>,
    /// Why.
    pub reason: String,
}

#[derive(FromRow)]
struct RawChange {
    at: Stamp,
    actor: String,
    action: String,
    account_id: Option<Uuid>,
    subject: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    reason: String,
}

impl Ledger {
    /// What this delivery changed and what was decided about it, oldest first.
    pub async fn delivery_changes(
        &self,
        stored: &StoredDelivery,
        limit: u32,
    ) -> Result<Vec<DeliveryChange>, LedgerError> {
        let by = stored.delivery.by(stored.received_at);
        let rows: Vec<RawChange> = sqlx::query_as(include_str!("../../queries/stripe_delivery_changes.sql"))
            .bind(stored.account.map(|account| account.as_uuid()))
            .bind(stamp(stored.received_at.minus_ms(SKEW_MS))?)
            .bind(by.actor)
            .bind(by.reason)
            .bind(&stored.delivery.event)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(DeliveryChange::try_from).collect()
    }
}

impl TryFrom<RawChange> for DeliveryChange {
    type Error = LedgerError;

    fn try_from(raw: RawChange) -> Result<Self, LedgerError> {
        Ok(Self {
            at: time(raw.at)?,
            actor: raw.actor,
            action: raw.action,
            account: raw.account_id.map(AccountId::from_uuid),
            subject: raw.subject,
            before: raw.before,
            after: raw.after,
            reason: raw.reason,
        })
    }
}
