//! What can go wrong with plans, checkouts, the portal and Stripe itself, as an operator is told.

use payments::{CheckoutError, PortalError, ReconcileError, StripeError, SyncError};

use super::{Failure, REFUSED, UNAVAILABLE};

impl Failure {
    /// The same for every command that asks something of Stripe.
    pub fn stripe_not_configured() -> Self {
        let message = "Stripe is not configured: set stripe.api_key in the settings of tollgate";
        Self { code: "stripe_not_configured", ..Self::invalid(message) }
    }
}

impl From<StripeError> for Failure {
    fn from(error: StripeError) -> Self {
        let exit = if error.is_passing() { UNAVAILABLE } else { REFUSED };
        Self { code: error.code(), message: error.to_string(), cause: None, exit }
    }
}

impl From<CheckoutError> for Failure {
    fn from(error: CheckoutError) -> Self {
        match error {
            CheckoutError::Stripe(error) => error.into(),
            CheckoutError::Book(error) => error.into(),
            CheckoutError::NotConfigured => Self::stripe_not_configured(),
            _ => Self { code: error.code(), ..Self::invalid(sentence(&error.to_string())) },
        }
    }
}

impl From<PortalError> for Failure {
    fn from(error: PortalError) -> Self {
        match error {
            PortalError::Stripe(error) => error.into(),
            PortalError::Book(error) => error.into(),
            PortalError::NotConfigured => Self::stripe_not_configured(),
            PortalError::NoCustomer => Self { code: error.code(), ..Self::invalid(sentence(&error.to_string())) },
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Stripe(error) => error.into(),
            SyncError::Book(error) => error.into(),
            SyncError::NotConfigured => Self::stripe_not_configured(),
        }
    }
}

impl From<ReconcileError> for Failure {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Stripe(error) => error.into(),
            ReconcileError::Book(error) => error.into(),
            ReconcileError::TooMuch => Self { code: error.code(), ..Self::invalid(error.to_string()) },
        }
    }
}

/// What the screen says, without the full stop: more stands behind it here.
fn sentence(text: &str) -> String {
    text.trim_end_matches('.').to_owned()
}
