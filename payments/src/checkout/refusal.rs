//! Why a plan can't be bought now: a stable word for programs, a sentence for people.

use ledger::LedgerError;
use thiserror::Error;

use crate::error::StripeError;

/// Display is the sentence that people may read.
#[derive(Debug, Error)]
pub enum CheckoutError {
    #[error("There is no plan {plan}.")]
    PlanUnknown { plan: String },
    #[error("The plan {plan} has no price yet, so it can't be bought.")]
    PlanUnpriced { plan: String },
    #[error("Checkout is not configured here: no key of Stripe is set.")]
    NotConfigured,
    #[error("This account is suspended and can't buy anything.")]
    Suspended,
    #[error("This is the current plan already.")]
    PlanCurrent,
    #[error("This account has a subscription already; change it in the customer portal.")]
    Subscribed,
    #[error("An earlier checkout of this account is just being completed; look again in a minute.")]
    Completing,
    #[error("This checkout is over; start another one.")]
    SessionOver,
    #[error("The price of {plan} at Stripe is not the one that is configured, so it can't be bought.")]
    PriceDiffers { plan: String },
    #[error("An idempotency key has 1 to 100 printable letters.")]
    KeyUnsound,
    #[error("The payment service can't do this now. Nothing was charged; please try again.")]
    Stripe(#[from] StripeError),
    #[error("This can't be done now. Nothing was charged; please try again.")]
    Book(#[from] LedgerError),
}

impl CheckoutError {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PlanUnknown { .. } => "plan_unknown",
            Self::PlanUnpriced { .. } => "plan_unpriced",
            Self::NotConfigured => "checkout_not_configured",
            Self::Suspended => "account_suspended",
            Self::PlanCurrent => "plan_current",
            Self::Subscribed => "subscribed_already",
            Self::Completing => "checkout_completing",
            Self::SessionOver => "checkout_over",
            Self::PriceDiffers { .. } => "price_differs",
            Self::KeyUnsound => "idempotency_key_unsound",
            Self::Stripe(error) => error.code(),
            Self::Book(error) => error.code(),
        }
    }

    /// Whether the same call, under the same key, may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Stripe(error) => error.is_passing(),
            Self::Book(error) => error.is_passing(),
            Self::Completing => true,
            _ => false,
        }
    }
}
