//! Effects: what a delivery, or a look at Stripe, says of the world. The book keeps each as a fact and works out what follows.

use metering::{AccountId, Credits, TimeMs};
use serde::Serialize;

use crate::words::words;

/// One fact. Applying it again, later, or in another order changes nothing that it should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// There is such a customer.
    CustomerSeen {
        /// Stripe's id.
        customer: String,
        /// Whose it is, where Stripe says so.
        account: Option<AccountId>,
        /// Its e-mail address.
        email: Option<String>,
        /// When that was so.
        as_of: TimeMs,
    },
    /// A customer is gone.
    CustomerDeleted {
        /// Stripe's id.
        customer: String,
        /// When that was so.
        as_of: TimeMs,
    },
    /// A checkout came to an end, or to the next step of it.
    CheckoutEnded(CheckoutEnd),
    /// A payment arrived.
    Paid(Payment),
    /// This payment intent pays this invoice.
    PaymentLinked {
        /// The invoice.
        invoice: String,
        /// The payment intent.
        payment_intent: String,
    },
    /// An invoice was not paid.
    InvoiceFailed(InvoiceFailure),
    /// A subscription was in this state.
    SubscriptionSeen(SubscriptionReport),
    /// Money went back.
    Reversed(Reversal),
    /// A dispute was decided for us: the money came back.
    DisputeWon {
        /// The dispute.
        dispute: String,
        /// When.
        at: TimeMs,
    },
    /// A price is so.
    OfferSeen(Offer),
    /// A trial ends soon.
    TrialEnding {
        /// The subscription.
        subscription: String,
        /// When it ends.
        at: TimeMs,
    },
}

words! {
    /// How far Stripe says a checkout came.
    CheckoutOutcome, "outcome of a checkout",
    /// Nobody finished it in time.
    Expired => "expired",
    /// It was finished; the money is still on its way.
    Completed => "completed",
    /// The money did not come.
    Failed => "failed",
    /// It was finished and paid, or nothing was to be paid.
    Paid => "paid",
}

/// What became of a checkout. Completed and paid ones must agree with our own row, or they are parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutEnd {
    /// The session.
    pub session: String,
    /// Whose it says it is.
    pub account: Option<AccountId>,
    /// Stripe's customer.
    pub customer: Option<String>,
    /// How far it came.
    pub outcome: CheckoutOutcome,
    /// The total, in minor units.
    pub amount: Option<u64>,
    /// Lower-case code.
    pub currency: Option<String>,
    /// Where the payer wants mails.
    pub email: Option<String>,
    /// The subscription that it began.
    pub subscription: Option<String>,
    /// The payment intent that pays it.
    pub payment_intent: Option<String>,
    /// When.
    pub at: TimeMs,
}

/// A payment: it grants its credits once, whoever reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// What it is known by: the invoice where there is one, else the payment intent.
    pub payment: String,
    /// The payment intent.
    pub payment_intent: Option<String>,
    /// The charge.
    pub charge: Option<String>,
    /// The checkout session of a one-off payment; it must be one of ours.
    pub session: Option<String>,
    /// The subscription it is for; `None` for a one-off payment.
    pub subscription: Option<String>,
    /// Stripe's customer.
    pub customer: Option<String>,
    /// Whose it says it is.
    pub account: Option<AccountId>,
    /// Code of the plan.
    pub plan: String,
    /// The lot's text for people.
    pub product: String,
    /// The allowance it pays for: that of the plan, times quantity. 0 grants nothing.
    pub credits: Credits,
    /// Whether it pays for the change to another plan within a period: then it grants what the new allowance is above what
    /// the subscription has got for the same `period_end`.
    pub prorated: bool,
    /// What was paid, in minor units. 0 (a trial) says nothing about the subscription being active.
    pub amount: u64,
    /// Lower-case code.
    pub currency: String,
    /// End of the period it pays for; a prorated one must have it.
    pub period_end: Option<TimeMs>,
    /// When it was paid.
    pub paid_at: TimeMs,
    /// First instant at which its credits can no longer be drawn.
    pub expires_at: TimeMs,
}

impl Payment {
    /// Whether its key is its payment intent, because no invoice stands for it.
    #[must_use]
    pub fn is_by_intent(&self) -> bool {
        self.payment_intent.as_ref() == Some(&self.payment)
    }

    /// Every name under which it may be known.
    #[must_use]
    pub fn reference(&self) -> PaymentRef {
        PaymentRef {
            invoice: (!self.is_by_intent()).then(|| self.payment.clone()),
            payment_intent: self.payment_intent.clone(),
            charge: self.charge.clone(),
        }
    }
}

/// An invoice that was not paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceFailure {
    /// The invoice.
    pub invoice: String,
    /// The subscription it is of; without one it changes no status.
    pub subscription: Option<String>,
    /// Stripe's customer.
    pub customer: Option<String>,
    /// Whose it says it is.
    pub account: Option<AccountId>,
    /// Whether it is the subscription's first: then nothing was running that could fail.
    pub first: bool,
    /// Whether its payer has only to confirm it: that is told by mail and changes no status by itself.
    pub action_required: bool,
    /// When that was so.
    pub as_of: TimeMs,
}

words! {
    /// Stripe's status of a subscription, in the order in which one goes on.
    SubscriptionStatus, "status of a subscription",
    /// Its first payment is not there yet.
    Incomplete => "incomplete",
    /// Its first payment did not come in time; it never begins.
    IncompleteExpired => "incomplete_expired",
    /// In its trial.
    Trialing => "trialing",
    /// Paid.
    Active => "active",
    /// The latest invoice is not paid; Stripe tries again.
    PastDue => "past_due",
    /// The latest invoice is not paid, and Stripe has given up.
    Unpaid => "unpaid",
    /// Its trial ended without a way to pay.
    Paused => "paused",
    /// Over, for good.
    Canceled => "canceled",
}

/// A subscription as it was at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionReport {
    /// The subscription.
    pub subscription: String,
    /// Stripe's customer.
    pub customer: Option<String>,
    /// Whose it says it is.
    pub account: Option<AccountId>,
    /// Its status.
    pub status: SubscriptionStatus,
    /// Its status just before, where the event tells (`previous_attributes.status`).
    pub was: Option<SubscriptionStatus>,
    /// Its latest invoice: a report of `past_due` is void once that is paid.
    pub invoice: Option<String>,
    /// Code of its plan, where it is one that is configured.
    pub plan: Option<String>,
    /// End of the period that runs.
    pub period_end: Option<TimeMs>,
    /// Whether it ends with that period.
    pub cancel_at_period_end: bool,
    /// End of its trial.
    pub trial_end: Option<TimeMs>,
    /// When that was so: the event's `created`, or the instant of a refetch.
    pub as_of: TimeMs,
}

/// How a reversal knows its payment: by any of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PaymentRef {
    /// The invoice.
    pub invoice: Option<String>,
    /// The payment intent.
    pub payment_intent: Option<String>,
    /// The charge.
    pub charge: Option<String>,
}

/// Why money went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ReversalKind {
    /// Refunded, in part or whole.
    Refund {
        /// The charge.
        charge: String,
        /// What was refunded of it so far, in minor units: a total, that only grows.
        refunded: u64,
        /// The charge's amount, in minor units; more than 0.
        amount: u64,
    },
    /// Disputed: Stripe has taken the money until it is decided.
    Dispute {
        /// The dispute.
        dispute: String,
    },
    /// What was reported as paid was not, after all.
    NotPaid,
}

/// Money that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// Of which payment.
    pub payment: PaymentRef,
    /// Why.
    pub kind: ReversalKind,
    /// When.
    pub at: TimeMs,
}

/// A price as Stripe has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// The price.
    pub price: String,
    /// Its product.
    pub product: String,
    /// In minor units; `None` where Stripe has no single amount.
    pub amount: Option<u64>,
    /// Lower-case code.
    pub currency: String,
    /// `month`, `year`, …; `None` for a one-off price.
    pub interval: Option<String>,
    /// Whether the price can be bought.
    pub active: bool,
    /// Whether the product can be bought.
    pub product_active: bool,
    /// The product's name.
    pub name: String,
    /// When that was so; an older report never replaces a newer one.
    pub as_of: TimeMs,
}

/// A checkout that we have opened: written after Stripe made the session, before anybody sees its URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkout {
    /// The session.
    pub session: String,
    /// Whose.
    pub account: AccountId,
    /// Stripe's customer.
    pub customer: String,
    /// Code of the plan.
    pub plan: String,
    /// The price.
    pub price: String,
    /// Whether it begins a subscription.
    pub recurring: bool,
    /// The session's total, in minor units.
    pub amount: u64,
    /// Lower-case code.
    pub currency: String,
    /// Where its payer goes. It is worth nothing to others, yet it stays out of logs.
    pub url: String,
    /// When it was opened.
    pub opened_at: TimeMs,
    /// When Stripe gives it up.
    pub expires_at: Option<TimeMs>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(payment: &str, payment_intent: Option<&str>) -> Payment {
        Payment {
            payment: payment.to_owned(),
            payment_intent: payment_intent.map(str::to_owned),
            charge: Some("ch_1".to_owned()),
            session: None,
            subscription: None,
            customer: None,
            account: None,
            plan: String::new(),
            product: String::new(),
            credits: Credits::ZERO,
            prorated: false,
            amount: 0,
            currency: String::new(),
            period_end: None,
            paid_at: TimeMs::new(1),
            expires_at: TimeMs::new(2),
        }
    }

    #[test]
    fn a_payment_that_no_invoice_stands_for_is_known_by_its_intent_and_names_no_invoice() {
        let (intent, charge) = (Some("pi_1".to_owned()), Some("ch_1".to_owned()));
        let by_intent = payment("pi_1", Some("pi_1"));
        assert!(by_intent.is_by_intent());
        let names = PaymentRef { invoice: None, payment_intent: intent.clone(), charge: charge.clone() };
        assert_eq!(by_intent.reference(), names);

        for (payment_intent, by_invoice) in [(intent, payment("in_1", Some("pi_1"))), (None, payment("in_1", None))] {
            assert!(!by_invoice.is_by_intent());
            let names = PaymentRef { invoice: Some("in_1".to_owned()), payment_intent, charge: charge.clone() };
            assert_eq!(by_invoice.reference(), names);
        }
    }
}
