//! Subscriptions that began or changed: their status at Stripe beside the one in the book.

use std::collections::HashSet;

use ledger::stripe::{Effect, SubscriptionReport, SubscriptionStatus};

use super::difference::{Difference, DifferenceKind};
use super::pages::{Pages, id_of};
use super::{Look, ReconcileError};
use crate::error::StripeError;
use crate::read::{SUBSCRIPTION_EVENTS, Seen, subscription_effects};

impl Look<'_> {
    pub(super) async fn subscriptions(&mut self) -> Result<(), ReconcileError> {
        let since = self.since_seconds();
        let query = [("status", "all"), ("created[gte]", since.as_str())];
        let mut pages = Pages::of("/subscriptions", &query);
        let mut known = HashSet::new();
        while let Some(subscriptions) = pages.next(self.stripe, &mut self.budget).await? {
            for object in subscriptions {
                known.insert(id_of(&object).to_owned());
                self.subscription(&Seen::fetched(object, None, self.by.at)).await?;
            }
        }
        for id in self.changed(&SUBSCRIPTION_EVENTS).await? {
            if !known.insert(id.clone()) {
                continue;
            }
            self.budget.take()?;
            match self.stripe.object("/subscriptions", &id, &[]).await {
                Ok(object) => self.subscription(&Seen::fetched(object, None, self.by.at)).await?,
                Err(StripeError::Missing(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn subscription(&mut self, seen: &Seen) -> Result<(), ReconcileError> {
        self.found.compared += 1;
        let Ok(effects) = subscription_effects(seen, self.plans) else { return Ok(()) };
        let Some(report) = effects.iter().find_map(report) else { return Ok(()) };
        let view = self.ledger.subscription(&report.subscription).await?;
        if !differs(view.as_ref().map(|view| view.status), report) {
            return Ok(());
        }
        let known = view.as_ref().map_or("nothing", |view| view.status.as_str());
        let detail = format!("Stripe says {}, the book {known}", report.status);
        let account = view.map(|view| view.account).or(report.account);
        let difference = Difference::new(DifferenceKind::StatusDiffers, &report.subscription, account, detail);
        self.differs(difference, &effects).await
    }
}

/// One that the book has never heard of counts only if it is ours, and lives.
fn differs(known: Option<SubscriptionStatus>, report: &SubscriptionReport) -> bool {
    match known {
        Some(known) => known != report.status,
        None => report.account.is_some() && report.status.is_live(),
    }
}

fn report(effect: &Effect) -> Option<&SubscriptionReport> {
    match effect {
        Effect::SubscriptionSeen(report) => Some(report),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use metering::TimeMs;

    use super::*;

    #[test]
    fn a_subscription_that_nobody_heard_of_counts_if_it_is_ours_and_lives() {
        use SubscriptionStatus::{Active, Canceled, Incomplete, PastDue};
        let ours = |status, is_ours: bool| SubscriptionReport {
            subscription: "sub_1".to_owned(),
            customer: None,
            account: if is_ours { "acct_00000000000000000000000000000001".parse().ok() } else { None },
            status,
            was: None,
            invoice: None,
            plan: None,
            period_end: None,
            cancel_at_period_end: false,
            trial_end: None,
            as_of: TimeMs::new(1),
        };
        assert!(differs(None, &ours(Active, true)));
        assert!(!differs(None, &ours(Active, false)));
        assert!(!differs(None, &ours(Canceled, true)) && !differs(None, &ours(Incomplete, true)));
        assert!(differs(Some(Active), &ours(PastDue, false)));
        assert!(!differs(Some(Active), &ours(Active, true)));
    }
}
