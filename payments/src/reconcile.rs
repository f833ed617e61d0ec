//! Holding Stripe against the book, payment by payment: what was paid, what went back, what was subscribed, what was granted.
//!
//! Objects are read as deliveries are; what differs can be mended on the same path as a delivery's effects.

mod back;
mod difference;
mod granted;
mod pages;
mod paid;
mod subscriptions;

use std::collections::HashSet;

use ledger::stripe::{Effect, Outcome};
use ledger::{By, Ledger, LedgerError};
use metering::TimeMs;
use thiserror::Error;

use crate::api::Stripe;
use crate::error::StripeError;
use crate::plans::Plans;
use pages::Budget;

pub use difference::{Difference, DifferenceKind, Reconciliation};

/// Why a look could not be ended. What it has mended by then stays.
#[derive(Debug, Error)]
pub enum ReconcileError {
    #[error("Stripe did not answer")]
    Stripe(#[from] StripeError),
    #[error("the book did not answer")]
    Book(#[from] LedgerError),
    /// More than one look may ask for.
    #[error("there is more since then than one look goes through: begin later, or look more often")]
    TooMuch,
}

impl ReconcileError {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stripe(error) => error.code(),
            Self::Book(error) => error.code(),
            Self::TooMuch => "reconcile_too_much",
        }
    }
}

/// One look, and what it has found so far.
struct Look<'a> {
    ledger: &'a Ledger,
    stripe: &'a Stripe,
    plans: &'a Plans,
    since: TimeMs,
    repair: bool,
    by: &'a By,
    budget: Budget,
    /// Invoices and payment intents that Stripe says are paid.
    paid: HashSet<String>,
    found: Reconciliation,
}

/// Goes through everything since then, on both sides. With `repair` it mends what it can.
pub async fn reconcile(
    ledger: &Ledger,
    stripe: &Stripe,
    plans: &Plans,
    since: TimeMs,
    repair: bool,
    by: &By,
) -> Result<Reconciliation, ReconcileError> {
    let (budget, paid, found) = (Budget::whole(), HashSet::new(), Reconciliation::default());
    let mut look = Look { ledger, stripe, plans, since, repair, by, budget, paid, found };
    // Payments come first: what went back can only be taken from what was granted.
    look.invoices().await?;
    look.sessions().await?;
    look.refunds().await?;
    look.disputes().await?;
    look.subscriptions().await?;
    look.granted().await?;
    Ok(look.found)
}

/// How far the first look of an installation goes back.
const FIRST_LOOK_MS: u64 = 30 * 86_400_000;

/// From when on a look is due: an overlap before the last one that left nothing, because Stripe shows some things late.
#[must_use]
pub fn look_due(mark: Option<TimeMs>, now: TimeMs, overlap_ms: u64) -> TimeMs {
    mark.map_or(now.minus_ms(FIRST_LOOK_MS), |mark| mark.minus_ms(overlap_ms))
}

impl Look<'_> {
    /// Notes a difference, and mends it if that is asked for.
    async fn differs(&mut self, mut difference: Difference, effects: &[Effect]) -> Result<(), ReconcileError> {
        if self.repair && !effects.is_empty() {
            match self.ledger.apply_effects(effects, self.by).await? {
                Outcome::Applied(_) | Outcome::Already => difference.mended = true,
                Outcome::Parked(why) => difference.hindered(&why.code, &why.detail),
                Outcome::Postponed(why) => difference.hindered("postponed", &why),
            }
        }
        self.found.differences.push(difference);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_begins_before_the_last_good_one_and_the_first_goes_a_month_back() {
        let now = TimeMs::new(100 * 86_400_000);
        assert_eq!(look_due(None, now, 5), TimeMs::new(70 * 86_400_000));
        assert_eq!(look_due(Some(TimeMs::new(1_000)), now, 5), TimeMs::new(995));
        assert_eq!(look_due(Some(TimeMs::new(1)), now, 5), TimeMs::new(0));
    }
}
