//! The customer portal: Stripe's own pages for cards, invoices and cancelling. What happens there counts by signed deliveries only.

use ledger::{By, Ledger, LedgerError};
use metering::AccountId;
use thiserror::Error;

use crate::api::{Stripe, of_answer, unreadable};
use crate::error::StripeError;
use crate::objects::Session;

const PATH: &str = "/billing_portal/sessions";

/// Why the portal can't be opened. Display is a sentence that people may read.
#[derive(Debug, Error)]
pub enum PortalError {
    #[error("The customer portal is not configured here: no key of Stripe is set.")]
    NotConfigured,
    #[error("There is no customer at Stripe yet; it comes with the first checkout.")]
    NoCustomer,
    #[error("The payment service can't do this now; please try again.")]
    Stripe(#[from] StripeError),
    #[error("This can't be done now; please try again.")]
    Book(#[from] LedgerError),
}

impl PortalError {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured => "portal_not_configured",
            Self::NoCustomer => "customer_missing",
            Self::Stripe(error) => error.code(),
            Self::Book(error) => error.code(),
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Stripe(error) => error.is_passing(),
            Self::Book(error) => error.is_passing(),
            Self::NotConfigured | Self::NoCustomer => false,
        }
    }
}

/// A way into the portal, for a few minutes. An account that Stripe knows has one, whatever its status.
pub async fn open_portal(
    ledger: &Ledger,
    stripe: Option<&Stripe>,
    account: AccountId,
    return_url: &str,
    by: &By,
) -> Result<String, PortalError> {
    let stripe = stripe.ok_or(PortalError::NotConfigured)?;
    ledger.account_view(account, by.at).await?;
    let customer = ledger.stripe_customer(account).await?.ok_or(PortalError::NoCustomer)?;
    let answer = stripe.post_each_time(PATH, &[("customer", &customer), ("return_url", return_url)]).await?;
    let session: Session = of_answer(PATH, &answer)?;
    Ok(session.url.ok_or_else(|| unreadable(PATH))?)
}
