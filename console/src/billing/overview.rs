//! Everything that the Billing screen says of an account at one moment, read at once.

use ledger::stripe::SubscriptionView;
use ledger::{AccountView, LedgerError, LotView, Verified};
use metering::TimeMs;
use payments::plan_states;

use crate::billing::balance::{self, Balance};
use crate::billing::plans::{self, PlanCard};
use crate::billing::{lots, portal};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;

/// More subscriptions than any account has at once.
const SUBSCRIPTIONS_MAX: u32 = 100;

/// An account as the screen shows it.
#[derive(Clone, Debug)]
pub struct Overview {
    /// When this was read.
    pub now: TimeMs,
    /// As the book has it.
    pub view: AccountView,
    /// The card on top.
    pub balance: Balance,
    /// Every lot, with what is left of it now.
    pub lots: Vec<LotView>,
    /// The subscription that runs.
    pub subscription: Option<SubscriptionView>,
    /// What can be bought, and what can't.
    pub plans: Vec<PlanCard>,
    /// Why the customer portal can't be opened; `None` = it can.
    pub portal_off: Option<String>,
    /// When the account was last found true.
    pub verified: Option<Verified>,
}

impl Overview {
    /// Reads it, for whoever looks.
    pub async fn of(service: &Service, caller: &Caller) -> Result<Self, Refusal> {
        let (book, account, now) = (&service.book, caller.account, service.clock.now());
        let (view, subscriptions, customer, offers, verified, snapshot) = tokio::try_join!(
            book.account_view(account, now),
            book.subscriptions(Some(account), None, SUBSCRIPTIONS_MAX),
            book.stripe_customer(account),
            book.offers(),
            book.verified(account),
            async { Ok::<_, LedgerError>(balance::snapshot(service, account).await) },
        )?;
        let is_configured = service.parts.stripe.is_some();
        let states = plan_states(&service.parts.plans, &offers, is_configured);
        Ok(Self {
            now,
            balance: Balance::of(&view, snapshot.as_ref()),
            lots: lots::now(&view, snapshot.as_ref()),
            plans: plans::cards(states, &offers, &view, &subscriptions, caller.roles),
            subscription: plans::live(&subscriptions).cloned(),
            portal_off: portal::why_not(is_configured, customer.is_some(), caller.roles),
            verified,
            view,
        })
    }

    /// What people call the plan that runs: by its name, or by its code where it is not sold any more.
    pub fn plan_name(&self) -> Option<&str> {
        let current = self.plans.iter().find(|card| card.is_current).map(|card| card.plan.name.as_str());
        current.or_else(|| self.subscription.as_ref().and_then(|subscription| subscription.plan.as_deref()))
    }
}
