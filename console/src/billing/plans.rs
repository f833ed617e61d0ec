//! Plans as cards: what each gives and costs, which one is the account's, and why the others can't be chosen.

use ledger::AccountView;
use ledger::stripe::{Offer, SubscriptionView};
use payments::{Plan, PlanState, check_eligible};

use crate::roles::Roles;

/// One plan for one account and whoever looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanCard {
    /// The plan.
    pub plan: Plan,
    /// `month`, `year`, …, where Stripe has told.
    pub interval: Option<String>,
    /// Whether the account has it.
    pub is_current: bool,
    /// Whether the account would begin with its trial.
    pub has_trial: bool,
    /// Why it can't be chosen; `None` = it can.
    pub why_not: Option<WhyNot>,
}

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyNot {
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub text: String,
}

/// The subscription that runs, if one does.
pub fn live(subscriptions: &[SubscriptionView]) -> Option<&SubscriptionView> {
    subscriptions.iter().find(|subscription| subscription.status.is_live())
}

/// Each plan, in the order in which plans are shown.
pub fn cards(
    states: Vec<PlanState>,
    offers: &[Offer],
    view: &AccountView,
    subscriptions: &[SubscriptionView],
    roles: Roles,
) -> Vec<PlanCard> {
    let current = live(subscriptions).and_then(|subscription| subscription.plan.as_deref());
    states
        .into_iter()
        .map(|state| {
            let offer = offers.iter().find(|offer| Some(&offer.price) == state.plan.price.as_ref());
            PlanCard {
                interval: offer.and_then(|offer| offer.interval.clone()),
                is_current: current == Some(state.plan.code.as_str()),
                has_trial: state.plan.trial_days > 0 && subscriptions.is_empty(),
                why_not: why_not(&state, view, subscriptions, roles),
                plan: state.plan,
            }
        })
        .collect()
}

/// What is wrong with the plan comes first, then what keeps the account from it, then the person.
fn why_not(state: &PlanState, view: &AccountView, subscriptions: &[SubscriptionView], roles: Roles) -> Option<WhyNot> {
    if let Some(unready) = state.unready {
        return Some(WhyNot { code: unready.code(), text: unready.to_string() });
    }
    if let Err(refused) = check_eligible(view, subscriptions, &state.plan) {
        return Some(WhyNot { code: refused.code(), text: refused.to_string() });
    }
    (!roles.manages).then(|| WhyNot {
        code: "role_missing",
        text: "An admin or the billing owner of this account can choose a plan.".to_owned(),
    })
}

#[cfg(test)]
pub mod tests {
    use ledger::stripe::SubscriptionStatus;
    use metering::{Status, TimeMs};
    use payments::{Plans, plan_states};

    use super::*;
    use crate::billing::lots::tests::view;

    const OWNER: Roles = Roles { manages: true, operates: false };

    pub fn subscription(status: SubscriptionStatus, plan: &str) -> SubscriptionView {
        SubscriptionView {
            subscription: "sub_1".to_owned(),
            account: view(&[]).account,
            customer: None,
            status,
            plan: Some(plan.to_owned()),
            period_end: None,
            cancel_at_period_end: false,
            trial_end: None,
            as_of: TimeMs::new(1),
        }
    }

    fn shown(status: Status, subscriptions: &[SubscriptionView], roles: Roles, configured: bool) -> Vec<PlanCard> {
        let plans = Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap());
        let view = AccountView { status, ..view(&[]) };
        cards(plan_states(&plans, &[], configured), &[], &view, subscriptions, roles)
    }

    fn reasons(cards: &[PlanCard]) -> Vec<&str> {
        cards.iter().map(|card| card.why_not.as_ref().map_or("", |why| why.code)).collect()
    }

    #[test]
    fn a_plan_is_paid_as_often_as_the_price_that_it_names() {
        let plans = Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap());
        let states = || plan_states(&plans, &[], true);
        let prices: Vec<String> = states().into_iter().filter_map(|state| state.plan.price).collect();
        let offer = |(price, interval): (&String, &str)| Offer {
            price: price.clone(),
            product: "prod_1".to_owned(),
            amount: Some(100),
            currency: "eur".to_owned(),
            interval: Some(interval.to_owned()),
            active: true,
            product_active: true,
            name: "Pro".to_owned(),
            as_of: TimeMs::new(1),
        };
        let offers: Vec<Offer> = prices.iter().zip(["year", "month"]).map(offer).collect();
        let shown = cards(states(), &offers, &view(&[]), &[], OWNER);
        let intervals: Vec<_> = shown.iter().filter_map(|card| card.interval.as_deref()).collect();
        assert_eq!(intervals, ["year", "month"]);
    }

    #[test]
    fn a_new_account_may_choose_every_plan_that_has_a_price_and_begins_with_the_trial() {
        let cards = shown(Status::Pending, &[], OWNER, true);
        assert_eq!(reasons(&cards), ["", "", "", "plan_unpriced"]);
        assert_eq!(cards.iter().map(|card| card.has_trial).collect::<Vec<_>>(), [true, false, false, false]);
        assert!(cards.iter().all(|card| !card.is_current));
    }

    #[test]
    fn the_plan_that_runs_is_current_and_only_packs_can_be_bought_beside_it() {
        let cards = shown(Status::Active, &[subscription(SubscriptionStatus::PastDue, "team")], OWNER, true);
        assert_eq!(reasons(&cards), ["subscribed_already", "plan_current", "", "plan_unpriced"]);
        assert_eq!(cards.iter().map(|card| card.is_current).collect::<Vec<_>>(), [false, true, false, false]);
        assert!(cards.iter().all(|card| !card.has_trial), "a trial is for the first subscription");
        let over = shown(Status::Active, &[subscription(SubscriptionStatus::Canceled, "team")], OWNER, true);
        assert!(over.iter().all(|card| !card.is_current));
    }

    #[test]
    fn who_can_not_buy_is_told_why() {
        let none = "checkout_not_configured";
        assert_eq!(reasons(&shown(Status::Active, &[], OWNER, false)), [none, none, none, "plan_unpriced"]);
        let suspended = "account_suspended";
        let wanted = [suspended, suspended, suspended, "plan_unpriced"];
        assert_eq!(reasons(&shown(Status::Suspended, &[], OWNER, true)), wanted);
        let role = "role_missing";
        assert_eq!(reasons(&shown(Status::Active, &[], Roles::default(), true)), [role, role, role, "plan_unpriced"]);
    }
}
