//! Whether a plan can be bought: its own lines held against its price at Stripe.

use std::fmt;

use ledger::stripe::Offer;

use crate::plans::{Plan, PlanKind, Plans};

/// A plan, and why it can't be bought if it can't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanState {
    pub plan: Plan,
    pub unready: Option<Unready>,
}

/// Why nobody can buy a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unready {
    NotConfigured,
    Unpriced,
    PriceMissing,
    PriceInactive,
    ProductInactive,
    ProductDiffers,
    AmountDiffers,
    CurrencyDiffers,
    KindDiffers,
}

impl Unready {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "checkout_not_configured",
            Self::Unpriced => "plan_unpriced",
            Self::PriceMissing => "price_missing",
            Self::PriceInactive => "price_inactive",
            Self::ProductInactive => "product_inactive",
            Self::ProductDiffers => "product_differs",
            Self::AmountDiffers => "amount_differs",
            Self::CurrencyDiffers => "currency_differs",
            Self::KindDiffers => "kind_differs",
        }
    }
}

/// A sentence for people.
impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConfigured => "Checkout is not configured here.",
            Self::Unpriced => "This plan has no price yet.",
            Self::PriceMissing => "Stripe has no such price.",
            Self::PriceInactive => "Its price is not active at Stripe.",
            Self::ProductInactive => "Its product is not active at Stripe.",
            Self::ProductDiffers => "Its price belongs to another product at Stripe.",
            Self::AmountDiffers => "Its price at Stripe is of another amount.",
            Self::CurrencyDiffers => "Its price at Stripe is in another currency.",
            Self::KindDiffers => "Its price at Stripe recurs where the plan does not, or the other way round.",
        })
    }
}

impl PlanState {
    /// A price that nobody has looked up yet is believed: Stripe's answer at checkout is held against the plan anyway.
    pub(super) fn judged(plan: &Plan, offer: Option<&Offer>, configured: bool) -> Self {
        let unready = if plan.price.is_none() {
            Some(Unready::Unpriced)
        } else if configured {
            offer.and_then(|offer| difference(plan, offer))
        } else {
            Some(Unready::NotConfigured)
        };
        Self { plan: plan.clone(), unready }
    }
}

fn difference(plan: &Plan, offer: &Offer) -> Option<Unready> {
    // As a look notes a price that Stripe does not have.
    let missing = offer.amount.is_none() && !offer.active && !offer.product_active;
    let differs = [
        (missing, Unready::PriceMissing),
        (!offer.active, Unready::PriceInactive),
        (!offer.product_active, Unready::ProductInactive),
        (offer.product != plan.product, Unready::ProductDiffers),
        (offer.interval.is_some() != (plan.kind == PlanKind::Recurring), Unready::KindDiffers),
        (offer.currency != plan.currency, Unready::CurrencyDiffers),
        (offer.amount != Some(plan.amount), Unready::AmountDiffers),
    ];
    differs.into_iter().find_map(|(differs, unready)| differs.then_some(unready))
}

/// Every plan as the screen shows it, from prices that the book has seen.
#[must_use]
pub fn plan_states(plans: &Plans, offers: &[Offer], stripe_configured: bool) -> Vec<PlanState> {
    let offer = |plan: &Plan| offers.iter().find(|offer| Some(&offer.price) == plan.price.as_ref());
    plans.iter().map(|plan| PlanState::judged(plan, offer(plan), stripe_configured)).collect()
}

#[cfg(test)]
mod tests {
    use metering::TimeMs;

    use super::*;

    fn plans() -> Plans {
        Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap())
    }

    fn offer() -> Offer {
        Offer {
            price: "price_tollgate_team".to_owned(),
            product: "prod_tollgate_team".to_owned(),
            amount: Some(9_900),
            currency: "usd".to_owned(),
            interval: Some("month".to_owned()),
            active: true,
            product_active: true,
            name: "Team".to_owned(),
            as_of: TimeMs::new(1),
        }
    }

    fn unready(offers: &[Offer], configured: bool) -> Vec<(String, Option<&'static str>)> {
        let states = plan_states(&plans(), offers, configured);
        states.into_iter().map(|state| (state.plan.code, state.unready.map(Unready::code))).collect()
    }

    fn of_team(change: impl FnOnce(&mut Offer)) -> Option<&'static str> {
        let mut offer = offer();
        change(&mut offer);
        unready(&[offer], true)[1].1
    }

    #[test]
    fn a_plan_without_a_price_can_not_be_bought_and_others_can() {
        let wanted = [("starter", None), ("team", None), ("pack", None), ("scale", Some("plan_unpriced"))];
        let found = unready(&[offer()], true);
        assert_eq!(found.iter().map(|(code, why)| (code.as_str(), *why)).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn without_stripe_nothing_can_be_bought() {
        let found = unready(&[offer()], false);
        let words: Vec<_> = found.iter().map(|(_, why)| why.unwrap()).collect();
        let none = "checkout_not_configured";
        assert_eq!(words, [none, none, none, "plan_unpriced"]);
    }

    #[test]
    fn each_difference_from_stripe_has_its_word() {
        assert_eq!(of_team(|_| {}), None);
        assert_eq!(of_team(|offer| offer.active = false), Some("price_inactive"));
        assert_eq!(of_team(|offer| offer.product_active = false), Some("product_inactive"));
        assert_eq!(of_team(|offer| offer.product = "prod_other".to_owned()), Some("product_differs"));
        assert_eq!(of_team(|offer| offer.amount = Some(9_901)), Some("amount_differs"));
        assert_eq!(of_team(|offer| offer.amount = None), Some("amount_differs"));
        assert_eq!(of_team(|offer| offer.currency = "eur".to_owned()), Some("currency_differs"));
        assert_eq!(of_team(|offer| offer.interval = None), Some("kind_differs"));
        let gone = |offer: &mut Offer| (offer.amount, offer.active, offer.product_active) = (None, false, false);
        assert_eq!(of_team(gone), Some("price_missing"), "as it was noted when it was looked for");
        let mut pack = offer();
        (pack.price, pack.product, pack.amount) =
            ("price_tollgate_pack".to_owned(), "prod_tollgate_pack".to_owned(), Some(2_500));
        assert_eq!(unready(&[pack.clone()], true)[2].1, Some("kind_differs"));
        pack.interval = None;
        assert_eq!(unready(&[pack], true)[2].1, None);
    }

    #[test]
    fn every_reason_has_a_word_and_a_sentence_of_its_own() {
        use Unready as U;
        let all = [
            U::NotConfigured,
            U::Unpriced,
            U::PriceMissing,
            U::PriceInactive,
            U::ProductInactive,
            U::ProductDiffers,
            U::AmountDiffers,
            U::CurrencyDiffers,
            U::KindDiffers,
        ];
        let words: std::collections::BTreeSet<_> = all.iter().map(|unready| unready.code()).collect();
        let sentences: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!((words.len(), sentences.len()), (all.len(), all.len()));
        assert!(sentences.iter().all(|sentence| sentence.ends_with('.')));
    }
}
