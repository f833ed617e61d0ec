//! Plans as cards.

use payments::{Expiry, PlanKind};

use crate::billing::plans::PlanCard;
use crate::billing::price;
use crate::show;

/// What a card shows.
pub struct PlanView {
    pub code: String,
    pub name: String,
    /// `12 000 shared credits`.
    pub allowance: String,
    /// `99.00 USD per month`.
    pub price: String,
    /// Until when its credits can be drawn.
    pub ends: String,
    pub trial: Option<String>,
    pub is_current: bool,
    pub why_not: Option<String>,
    /// What the button says.
    pub choose: String,
}

impl From<&PlanCard> for PlanView {
    fn from(card: &PlanCard) -> Self {
        let plan = &card.plan;
        let amount = price::amount(plan.amount, &plan.currency);
        let word = match (plan.kind, &card.interval) {
            (PlanKind::OneOff, _) => "once".to_owned(),
            (PlanKind::Recurring, Some(interval)) => format!("per {interval}"),
            (PlanKind::Recurring, None) => "per billing period".to_owned(),
        };
        let ends = match plan.expiry {
            Expiry::PeriodEnd => "Its credits end with the period that was paid.".to_owned(),
            Expiry::Days(1) => "Its credits can be used for a day.".to_owned(),
            Expiry::Days(days) => format!("Its credits can be used for {days} days."),
        };
        Self {
            code: plan.code.clone(),
            name: plan.name.clone(),
            allowance: format!("{} shared credits", show::number(plan.allowance)),
            price: format!("{amount} {word}"),
            ends,
            trial: card.has_trial.then(|| trial(plan.trial_days, plan.trial_allowance)),
            is_current: card.is_current,
            why_not: card.why_not.as_ref().map(|why| why.text.clone()),
            choose: format!("{} {}", if plan.kind == PlanKind::OneOff { "Buy" } else { "Choose" }, plan.name),
        }
    }
}

fn trial(days: u32, allowance: u64) -> String {
    let days = if days == 1 { "A day".to_owned() } else { format!("{days} days") };
    if allowance == 0 {
        format!("{days} free at first.")
    } else {
        format!("{days} free at first, with {} credits.", show::number(allowance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(code: &str, interval: Option<&str>, has_trial: bool) -> PlanView {
        let plans = config::plans::parse("demo", config::plans::DEMO).unwrap();
        let plan = plans.into_iter().find(|plan| plan.code == code).unwrap();
        let interval = interval.map(str::to_owned);
        PlanView::from(&PlanCard { plan, interval, is_current: false, has_trial, why_not: None })
    }

    #[test]
    fn a_card_says_what_a_plan_gives_and_costs() {
        let team = card("team", Some("month"), false);
        let shown = [&team.allowance, &team.price, &team.choose].map(|text| text.replace('\u{202f}', " "));
        assert_eq!(shown, ["12 000 shared credits", "99.00 USD per month", "Choose Team"]);
        let pack = card("pack", None, false);
        assert_eq!((pack.price.as_str(), pack.choose.as_str()), ("25.00 USD once", "Buy Credit pack"));
        assert_eq!(pack.ends, "Its credits can be used for 365 days.");
        let starter = card("starter", None, true);
        assert_eq!(starter.price, "19.00 USD per billing period");
        assert_eq!(starter.trial.as_deref(), Some("14 days free at first, with 100 credits."));
    }
}
