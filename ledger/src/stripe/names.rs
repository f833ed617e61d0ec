//! The ids that effects name. Whoever works on one of them has it alone until the commit, also before the book has a row of it.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::effect::{
    CheckoutEnd, Effect, InvoiceFailure, Payment, PaymentRef, Reversal, ReversalKind, SubscriptionReport,
};
use crate::LedgerError;

/// A payment has a handful of names; hundreds are no payment.
const NAMES_MAX: usize = 1_000;

impl Effect {
    /// Every id of Stripe that it names.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::CustomerSeen { customer, .. } | Self::CustomerDeleted { customer, .. } => vec![customer],
            Self::CheckoutEnded(end) => end.names(),
            Self::Paid(payment) => payment.names(),
            Self::PaymentLinked { invoice, payment_intent } => vec![invoice, payment_intent],
            Self::InvoiceFailed(failure) => failure.names(),
            Self::SubscriptionSeen(report) => report.names(),
            Self::Reversed(reversal) => reversal.names(),
            Self::DisputeWon { dispute, .. } => vec![dispute],
            Self::OfferSeen(offer) => vec![&offer.price],
            Self::TrialEnding { subscription, .. } => vec![subscription],
        }
    }

    /// Those of them that may tell whose it is.
    pub(super) fn owners(&self) -> Vec<&str> {
        match self {
            Self::CustomerSeen { customer, .. } => vec![customer],
            Self::CheckoutEnded(CheckoutEnd { customer, subscription, .. })
            | Self::Paid(Payment { customer, subscription, .. })
            | Self::InvoiceFailed(InvoiceFailure { customer, subscription, .. }) => named([customer, subscription]),
            Self::SubscriptionSeen(report) => {
                let mut names = named([&report.customer]);
                names.push(&report.subscription);
                names
            }
            Self::TrialEnding { subscription, .. } => vec![subscription],
            _ => Vec::new(),
        }
    }
}

fn named<'a>(ids: impl IntoIterator<Item = &'a Option<String>>) -> Vec<&'a str> {
    ids.into_iter().flatten().map(String::as_str).collect()
}

impl CheckoutEnd {
    fn names(&self) -> Vec<&str> {
        let mut names = named([&self.customer, &self.subscription, &self.payment_intent]);
        names.push(&self.session);
        names
    }
}

impl Payment {
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names = named([&self.payment_intent, &self.charge, &self.session, &self.subscription, &self.customer]);
        names.push(&self.payment);
        names
    }

    /// Those that only this payment has.
    pub(super) fn own_names(&self) -> Vec<&str> {
        let mut names = named([&self.payment_intent, &self.charge]);
        names.push(&self.payment);
        names
    }
}

impl InvoiceFailure {
    fn names(&self) -> Vec<&str> {
        let mut names = named([&self.subscription, &self.customer]);
        names.push(&self.invoice);
        names
    }
}

impl SubscriptionReport {
    fn names(&self) -> Vec<&str> {
        let mut names = named([&self.customer, &self.invoice]);
        names.push(&self.subscription);
        names
    }
}

impl PaymentRef {
    /// The ids it has.
    pub(super) fn names(&self) -> Vec<&str> {
        named([&self.invoice, &self.payment_intent, &self.charge])
    }
}

impl Reversal {
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names = self.payment.names();
        match &self.kind {
            ReversalKind::Refund { charge, .. } => names.push(charge),
            ReversalKind::Dispute { dispute } => names.push(dispute),
            ReversalKind::NotPaid => {}
        }
        names
    }

    /// What the fact is known by; `None` where nothing is named.
    pub(super) fn id(&self) -> Option<(&'static str, &str)> {
        match &self.kind {
            ReversalKind::Refund { charge, .. } => Some(("refund", charge)),
            ReversalKind::Dispute { dispute } => Some(("dispute", dispute)),
            ReversalKind::NotPaid => self.payment.names().first().map(|name| ("not_paid", *name)),
        }
    }
}

/// These names and all that the book knows to mean the same payment.
pub(super) async fn closure(
    connection: &mut PgConnection,
    seeds: impl IntoIterator<Item = &str>,
) -> Result<BTreeSet<String>, LedgerError> {
    let seeds: Vec<&str> = seeds.into_iter().collect();
    let names: Vec<String> =
        sqlx::query_scalar(include_str!("../../queries/stripe_names.sql")).bind(&seeds).fetch_all(connection).await?;
    if names.len() > NAMES_MAX {
        return Err(LedgerError::Invalid(format!("more than {NAMES_MAX} ids that mean one payment")));
    }
    Ok(names.into_iter().collect())
}

/// Locks names until the commit, always in one order, so that nobody waits in a ring.
pub(super) async fn lock(connection: &mut PgConnection, names: &BTreeSet<String>) -> Result<(), LedgerError> {
    let names: Vec<&String> = names.iter().collect();
    sqlx::query(include_str!("../../queries/stripe_lock_names.sql")).bind(&names).execute(connection).await?;
    Ok(())
}
