//! Facts of Stripe as the book shows them.

use metering::{AccountId, Credits, LotId, TimeMs};
use serde::Serialize;

use super::allowance::refund_target;
use super::effect::{Checkout, Payment, PaymentRef, ReversalKind, SubscriptionStatus};
use crate::words::words;

words! {
    /// How far a checkout is; a later state never gives way to an earlier one.
    CheckoutState, "state of a checkout",
    /// Its payer may still finish it.
    Open => "open",
    /// Nobody finished it in time.
    Expired => "expired",
    /// Finished, the money is on its way.
    Completed => "completed",
    /// The money did not come.
    Failed => "failed",
    /// Finished and paid.
    Paid => "paid",
}

/// A checkout with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckoutView {
    /// As it was opened.
    #[serde(flatten)]
    pub checkout: Checkout,
    /// How far it is.
    pub state: CheckoutState,
    /// Where its payer wants mails.
    pub email: Option<String>,
    /// The subscription that it began.
    pub subscription: Option<String>,
    /// The payment intent that pays it.
    pub payment_intent: Option<String>,
    /// When it came to where it is.
    pub ended_at: Option<TimeMs>,
}

/// A payment with what it granted and what was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentView {
    /// What Stripe said; `account` is whose it is.
    #[serde(flatten)]
    pub payment: Payment,
    /// Whose.
    #[serde(skip)]
    pub owner: AccountId,
    /// The lot that it granted.
    pub lot: Option<LotId>,
    /// How many credits that has.
    pub granted: Credits,
    /// How many are asked back, because money went back.
    pub asked: Credits,
    /// How many of those the lots still had; `None` while a reduction is on its way to live state.
    pub taken: Option<Credits>,
    /// How many they had no more: spent, or expired.
    pub shortfall: Option<Credits>,
}

impl PaymentView {
    /// Credits that go back where `refunded` of `amount` was given back, both in minor units: the same part, rounded down.
    #[must_use]
    pub fn refund_target(&self, refunded: u64, amount: u64) -> Credits {
        refund_target(self.granted, refunded, amount)
    }

    /// Where the page after this payment begins.
    #[must_use]
    pub fn cursor(&self) -> PaymentCursor {
        PaymentCursor { paid_at: self.payment.paid_at, payment: self.payment.payment.clone() }
    }
}

/// Where a page of payments begins: after the one it was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentCursor {
    /// When that was paid.
    pub paid_at: TimeMs,
    /// Its key.
    pub payment: String,
}

/// A subscription as the book has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriptionView {
    /// The subscription.
    pub subscription: String,
    /// Whose.
    pub account: AccountId,
    /// Stripe's customer.
    pub customer: Option<String>,
    /// Its status, after every report.
    pub status: SubscriptionStatus,
    /// Code of its plan.
    pub plan: Option<String>,
    /// End of the period that runs.
    pub period_end: Option<TimeMs>,
    /// Whether it ends with that period.
    pub cancel_at_period_end: bool,
    /// End of its trial.
    pub trial_end: Option<TimeMs>,
    /// When that was so.
    pub as_of: TimeMs,
}

/// A reversal as the book has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReversalView {
    /// How Stripe names the payment.
    pub names: PaymentRef,
    /// The payment; `None` while the book has none that fits.
    pub payment: Option<String>,
    /// Whose; `None` with the payment.
    pub account: Option<AccountId>,
    /// Why.
    #[serde(flatten)]
    pub kind: ReversalKind,
    /// When.
    pub at: TimeMs,
    /// When a dispute was decided for us.
    pub won_at: Option<TimeMs>,
}

words! {
    /// What a mail to the payer says.
    MailKind, "kind of a mail",
    /// The trial runs.
    TrialStarted => "trial_started",
    /// The plan is active.
    PlanActive => "plan_active",
    /// A payment failed: calls are refused.
    PaymentFailed => "payment_failed",
    /// The plan is over.
    PlanEnded => "plan_ended",
    /// Credits were granted.
    CreditsGranted => "credits_granted",
    /// The trial ends soon.
    TrialEnding => "trial_ending",
    /// A payment waits for its payer to confirm it.
    ActionRequired => "action_required",
    /// The credits run low.
    LowBalance => "low_balance",
}
