//! Stands in until the transactions land.
#![expect(clippy::todo, clippy::unused_async, unused_variables, reason = "the next commit fills these in")]

use std::time::Duration;

use metering::{AccountId, TimeMs};

use super::*;
use crate::{By, Ledger, LedgerError};

#[expect(missing_docs, reason = "the next commit fills these in")]
impl Ledger {
    pub async fn record_delivery(&self, delivery: &Delivery, at: TimeMs) -> Result<Received, LedgerError> {
        todo!()
    }
    pub async fn claim_deliveries(
        &self,
        limit: u32,
        lease: Duration,
        now: TimeMs,
    ) -> Result<Vec<StoredDelivery>, LedgerError> {
        todo!()
    }
    pub async fn apply_delivery(&self, event: &str, effects: &[Effect], by: &By) -> Result<Outcome, LedgerError> {
        todo!()
    }
    pub async fn park_delivery(&self, event: &str, why: &Parking, at: TimeMs) -> Result<(), LedgerError> {
        todo!()
    }
    pub async fn ignore_delivery(&self, event: &str, at: TimeMs) -> Result<(), LedgerError> {
        todo!()
    }
    pub async fn postpone_delivery(&self, event: &str, until: TimeMs, why: &str) -> Result<(), LedgerError> {
        todo!()
    }
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<StoredDelivery>, LedgerError> {
        todo!()
    }
    pub async fn delivery(&self, event: &str) -> Result<Option<StoredDelivery>, LedgerError> {
        todo!()
    }
    pub async fn resolve_delivery(&self, event: &str, by: &By) -> Result<(), LedgerError> {
        todo!()
    }
    pub async fn replay_delivery(&self, event: &str, by: &By) -> Result<(), LedgerError> {
        todo!()
    }
    pub async fn delivery_counts(&self) -> Result<Vec<(DeliveryState, u64)>, LedgerError> {
        todo!()
    }
    pub async fn apply_effects(&self, effects: &[Effect], by: &By) -> Result<Outcome, LedgerError> {
        todo!()
    }
    pub async fn stripe_customer(&self, account: AccountId) -> Result<Option<String>, LedgerError> {
        todo!()
    }
    pub async fn link_customer(
        &self,
        account: AccountId,
        customer: &str,
        email: Option<&str>,
        by: &By,
    ) -> Result<String, LedgerError> {
        todo!()
    }
    pub async fn enter_checkout(&self, checkout: &Checkout, by: &By) -> Result<(), LedgerError> {
        todo!()
    }
    pub async fn checkout(&self, session: &str) -> Result<Option<CheckoutView>, LedgerError> {
        todo!()
    }
    pub async fn checkouts(&self, account: AccountId, limit: u32) -> Result<Vec<CheckoutView>, LedgerError> {
        todo!()
    }
    pub async fn offers(&self) -> Result<Vec<Offer>, LedgerError> {
        todo!()
    }
    pub async fn put_offers(&self, offers: &[Offer], by: &By) -> Result<(), LedgerError> {
        todo!()
    }
    pub async fn payments(
        &self,
        since: TimeMs,
        after: Option<&PaymentCursor>,
        limit: u32,
    ) -> Result<Vec<PaymentView>, LedgerError> {
        todo!()
    }
    pub async fn payments_of(&self, account: AccountId, limit: u32) -> Result<Vec<PaymentView>, LedgerError> {
        todo!()
    }
    pub async fn payment(&self, names: &PaymentRef) -> Result<Option<PaymentView>, LedgerError> {
        todo!()
    }
    pub async fn subscription(&self, subscription: &str) -> Result<Option<SubscriptionView>, LedgerError> {
        todo!()
    }
    pub async fn subscriptions(
        &self,
        account: Option<AccountId>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SubscriptionView>, LedgerError> {
        todo!()
    }
    pub async fn reversals(&self, payment: &str) -> Result<Vec<ReversalView>, LedgerError> {
        todo!()
    }
    pub async fn unsettled_reversals(&self, limit: u32) -> Result<Vec<ReversalView>, LedgerError> {
        todo!()
    }
    pub async fn reconcile_mark(&self) -> Result<Option<TimeMs>, LedgerError> {
        todo!()
    }
    pub async fn set_reconcile_mark(&self, mark: TimeMs) -> Result<(), LedgerError> {
        todo!()
    }
    pub async fn queued_mails(&self, after: u64, limit: u32) -> Result<Vec<QueuedMail>, LedgerError> {
        todo!()
    }
}
