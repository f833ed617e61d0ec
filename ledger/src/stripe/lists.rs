//! Lists of subscriptions and of reversals.

use metering::{AccountId, TimeMs};
use sqlx::FromRow;
use uuid::Uuid;

use super::effect::{PaymentRef, ReversalKind, SubscriptionStatus};
use super::views::{ReversalView, SubscriptionView};
use crate::columns::{Stamp, count, maybe_time, time};
use crate::{Ledger, LedgerError};

/// Most reversals of one payment that are shown.
const REVERSALS_MAX: u32 = 1_000;

#[derive(FromRow)]
struct RawSubscription {
    subscription: String,
    account_id: Uuid,
    customer: Option<String>,
    status: String,
    plan: Option<String>,
    period_end: Option<Stamp>,
    cancel_at_period_end: bool,
    trial_end: Option<Stamp>,
    as_of: Stamp,
}

#[derive(FromRow)]
struct RawReversal {
    kind: String,
    id: String,
    invoice: Option<String>,
    payment_intent: Option<String>,
    charge: Option<String>,
    payment: Option<String>,
    account_id: Option<Uuid>,
    refunded: Option<i64>,
    amount: Option<i64>,
    at: Stamp,
    won_at: Option<Stamp>,
}

impl Ledger {
    /// One subscription.
    pub async fn subscription(&self, subscription: &str) -> Result<Option<SubscriptionView>, LedgerError> {
        let raw: Option<RawSubscription> = sqlx::query_as("SELECT * FROM stripe_subscriptions WHERE subscription = $1")
            .bind(subscription)
            .fetch_optional(&self.pool)
            .await?;
        raw.map(SubscriptionView::try_from).transpose()
    }

    /// Subscriptions of an account or of all, by id, after one.
    pub async fn subscriptions(
        &self,
        account: Option<AccountId>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SubscriptionView>, LedgerError> {
        let rows: Vec<RawSubscription> = sqlx::query_as(
            "SELECT * FROM stripe_subscriptions WHERE ($1::uuid IS NULL OR account_id = $1) AND subscription > $2 \
             ORDER BY subscription LIMIT $3",
        )
        .bind(account.map(|account| account.as_uuid()))
        .bind(after.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(SubscriptionView::try_from).collect()
    }

    /// Reversals of a payment, oldest first.
    pub async fn reversals(&self, payment: &str) -> Result<Vec<ReversalView>, LedgerError> {
        self.read_reversals(Some(payment), REVERSALS_MAX).await
    }

    /// Reversals whose payment the book does not know, oldest first.
    pub async fn unsettled_reversals(&self, limit: u32) -> Result<Vec<ReversalView>, LedgerError> {
        self.read_reversals(None, limit).await
    }

    async fn read_reversals(&self, payment: Option<&str>, limit: u32) -> Result<Vec<ReversalView>, LedgerError> {
        let rows: Vec<RawReversal> = sqlx::query_as(include_str!("../../queries/stripe_reversals.sql"))
            .bind(payment)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(ReversalView::try_from).collect()
    }
}

impl TryFrom<RawSubscription> for SubscriptionView {
    type Error = LedgerError;

    fn try_from(raw: RawSubscription) -> Result<Self, LedgerError> {
        Ok(Self {
            subscription: raw.subscription,
            account: AccountId::from_uuid(raw.account_id),
            customer: raw.customer,
            status: SubscriptionStatus::try_from(raw.status.as_str())?,
            plan: raw.plan,
            period_end: maybe_time(raw.period_end)?,
            cancel_at_period_end: raw.cancel_at_period_end,
            trial_end: maybe_time(raw.trial_end)?,
            as_of: time(raw.as_of)?,
        })
    }
}

impl TryFrom<RawReversal> for ReversalView {
    type Error = LedgerError;

    fn try_from(raw: RawReversal) -> Result<Self, LedgerError> {
        let at: TimeMs = time(raw.at)?;
        let kind = match (raw.kind.as_str(), raw.refunded, raw.amount) {
            ("refund", Some(refunded), Some(amount)) => {
                ReversalKind::Refund { charge: raw.id, refunded: count(refunded)?, amount: count(amount)? }
            }
            ("dispute", ..) => ReversalKind::Dispute { dispute: raw.id },
            ("not_paid", ..) => ReversalKind::NotPaid,
            (kind, ..) => return Err(LedgerError::Corrupt(format!("a reversal that is '{kind}'"))),
        };
        Ok(Self {
            names: PaymentRef { invoice: raw.invoice, payment_intent: raw.payment_intent, charge: raw.charge },
            payment: raw.payment,
            account: raw.account_id.map(AccountId::from_uuid),
            kind,
            at,
            won_at: maybe_time(raw.won_at)?,
        })
    }
}
