//! Plans beside what Stripe has: which can be bought, and why the others can't.

mod state;

use ledger::stripe::Offer;
use ledger::{By, Ledger, LedgerError};
use metering::TimeMs;
use thiserror::Error;

use crate::api::{Stripe, of_answer};
use crate::error::StripeError;
use crate::objects::Price;
use crate::plans::{Plan, Plans};
use crate::read::offer_of;

pub use state::{PlanState, Unready, plan_states};

/// Why plans could not be held against Stripe.
#[derive(Debug, Error)]
pub enum SyncError {
    #[error("Stripe is not configured: no key is set")]
    NotConfigured,
    #[error("Stripe did not answer")]
    Stripe(#[from] StripeError),
    #[error("the book could not be written")]
    Book(#[from] LedgerError),
}

impl SyncError {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured => "stripe_not_configured",
            Self::Stripe(error) => error.code(),
            Self::Book(error) => error.code(),
        }
    }
}

/// Fetches every plan's price with its product, writes them down for the screen, and says which plans can be bought.
pub async fn sync_plans(
    ledger: &Ledger,
    stripe: Option<&Stripe>,
    plans: &Plans,
    by: &By,
) -> Result<Vec<PlanState>, SyncError> {
    let stripe = stripe.ok_or(SyncError::NotConfigured)?;
    let (mut offers, mut states) = (Vec::new(), Vec::new());
    for plan in plans.iter() {
        let Some(id) = plan.price.as_deref() else {
            states.push(PlanState::judged(plan, None, true));
            continue;
        };
        if let Some(offer) = fetched(stripe, id, plan, by.at).await? {
            states.push(PlanState::judged(plan, Some(&offer), true));
            offers.push(offer);
        } else {
            offers.push(gone(plan, id, by.at));
            states.push(PlanState { plan: plan.clone(), unready: Some(Unready::PriceMissing) });
        }
    }
    ledger.put_offers(&offers, by).await?;
    Ok(states)
}

async fn fetched(stripe: &Stripe, id: &str, plan: &Plan, now: TimeMs) -> Result<Option<Offer>, StripeError> {
    match stripe.price(id).await {
        Ok(price) => Ok(offer_of(&of_answer::<Price>("/prices", &price)?, None, plan, now)),
        Err(StripeError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What Stripe does not have can't be bought, and the screen shall know.
fn gone(plan: &Plan, price: &str, now: TimeMs) -> Offer {
    Offer {
        price: price.to_owned(),
        product: plan.product.clone(),
        amount: None,
        currency: plan.currency.clone(),
        interval: None,
        active: false,
        product_active: false,
        name: plan.name.clone(),
        as_of: now,
    }
}
