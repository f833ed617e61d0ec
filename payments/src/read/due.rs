//! Which plan an invoice pays for, and what is due for it: the rule from lines to credits.

use ledger::stripe::Parking;
use metering::{Credits, TimeMs};

use crate::objects::{Invoice, Line, time};
use crate::plans::{Plan, PlanKind, Plans, allowance};

/// What one invoice grants.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due<'a> {
    pub plan: &'a Plan,
    pub credits: Credits,
    /// For a part of a period: the book takes off what the subscription has got for it.
    pub prorated: bool,
    /// A trial's credits end with the trial, whatever the plan says.
    pub trial: bool,
    pub period_end: Option<TimeMs>,
}

/// A line of a plan that can be subscribed to.
type Match<'i, 'a> = (&'i Line, &'a Plan);

/// Whole lines count before prorated ones: an invoice with both begins a period.
pub(super) fn due<'a>(invoice: &Invoice, plans: &'a Plans) -> Result<Due<'a>, Parking> {
    let lines = matches(invoice, plans);
    let Some((first, plan)) = lines.first().copied() else { return Err(unmatched(invoice)) };
    if let Some((_, plan)) = lines.iter().find(|(line, plan)| currency(invoice, line) != Some(plan.currency.as_str())) {
        let words = format!("{} is sold in {}, the invoice is in another currency", plan.code, plan.currency);
        return Err(Parking::new("currency_mismatch", words));
    }
    let whole: Vec<_> = lines.iter().filter(|(line, _)| !line.is_proration()).copied().collect();
    if !whole.is_empty() {
        return whole_period(&whole);
    }
    let newest = lines.iter().filter(|(line, _)| line.amount > 0).max_by_key(|(line, _)| start(line));
    match newest {
        Some((line, plan)) => part_of_period(line, plan),
        None => Ok(Due { plan, credits: Credits::ZERO, prorated: false, trial: false, period_end: end(first) }),
    }
}

fn matches<'i, 'a: 'i>(invoice: &'i Invoice, plans: &'a Plans) -> Vec<(&'i Line, &'a Plan)> {
    let plan = |line: &'i Line| line.price().and_then(|price| plans.by_price(price)).map(|plan| (line, plan));
    let sold = |(line, plan): &(&Line, &Plan)| plan.kind == PlanKind::Recurring && line.quantity != Some(0);
    invoice.lines.data.iter().filter_map(plan).filter(sold).collect()
}

fn unmatched(invoice: &Invoice) -> Parking {
    if invoice.lines.has_more {
        return Parking::new("lines_incomplete", "the delivery has not all lines of the invoice; it must be fetched");
    }
    let prices: Vec<&str> = invoice.lines.data.iter().filter_map(Line::price).take(5).collect();
    Parking::new("price_unknown", format!("no plan has a price of this invoice: {}", prices.join(", ")))
}

fn currency<'i>(invoice: &'i Invoice, line: &'i Line) -> Option<&'i str> {
    line.currency.as_deref().or(invoice.currency.as_deref())
}

fn start(line: &Line) -> u64 {
    line.period.and_then(|period| period.start).unwrap_or(0)
}

fn end(line: &Line) -> Option<TimeMs> {
    time(line.period.and_then(|period| period.end))
}

fn quantity(line: &Line) -> u64 {
    line.quantity.unwrap_or(1)
}

/// All whole lines must be of one plan and one period: a tier or a second seat, not another plan.
fn whole_period<'a>(lines: &[Match<'_, 'a>]) -> Result<Due<'a>, Parking> {
    let Some((first, plan)) = lines.first().copied() else {
        return Err(Parking::new("price_unknown", "no line is of a plan"));
    };
    if lines.iter().any(|(line, other)| other.code != plan.code || end(line) != end(first)) {
        return Err(Parking::new("lines_ambiguous", "the invoice is for more than one plan or period"));
    }
    let period_end = end(first);
    if lines.iter().all(|(line, _)| line.amount == 0) {
        let credits = Credits::new(plan.trial_allowance).map_err(|_| uncountable())?;
        return Ok(Due { plan, credits, prorated: false, trial: true, period_end });
    }
    let units =
        lines.iter().try_fold(0_u64, |sum, (line, _)| sum.checked_add(quantity(line))).ok_or_else(uncountable)?;
    let asked = plan.amount.checked_mul(units).ok_or_else(uncountable)?;
    let paid: i128 = lines.iter().map(|(line, _)| i128::from(line.amount)).sum();
    if paid != i128::from(asked) {
        let words = format!("{units} × {} is {asked} {}, the invoice says {paid}", plan.code, plan.currency);
        return Err(Parking::new("amount_mismatch", words));
    }
    let credits = allowance(plan, units).ok_or_else(uncountable)?;
    Ok(Due { plan, credits, prorated: false, trial: false, period_end })
}

fn part_of_period<'a>(line: &Line, plan: &'a Plan) -> Result<Due<'a>, Parking> {
    let period_end = end(line).ok_or_else(|| Parking::new("period_unknown", "a prorated line has no period"))?;
    let credits = allowance(plan, quantity(line)).ok_or_else(uncountable)?;
    Ok(Due { plan, credits, prorated: true, trial: false, period_end: Some(period_end) })
}

fn uncountable() -> Parking {
    Parking::new("amount_mismatch", "more units than can be counted")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::objects;

    const END: u64 = 1_766_707_200;

    fn demo() -> Plans {
        Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap())
    }

    fn line(price: &str, amount: i64, quantity: u64, proration: bool) -> Value {
        json!({
            "amount": amount, "currency": "usd", "quantity": quantity, "period": { "start": END - 100, "end": END },
            "pricing": { "price_details": { "price": price } },
            "parent": { "subscription_item_details": { "proration": proration } },
        })
    }

    fn invoice(lines: &[Value]) -> Invoice {
        objects::read(&json!({ "id": "in_1", "currency": "usd", "lines": { "data": lines } })).unwrap()
    }

    fn told(lines: &[Value]) -> Result<(String, u64, bool, bool), Parking> {
        let plans = demo();
        let due = due(&invoice(lines), &plans)?;
        assert_eq!(due.period_end, Some(TimeMs::new(END * 1000)));
        Ok((due.plan.code.clone(), due.credits.get(), due.prorated, due.trial))
    }

    fn refused(lines: &[Value]) -> String {
        told(lines).expect_err("parked").code
    }

    #[test]
    fn of_several_changes_within_a_period_the_newest_that_costs_something_counts() {
        let from = |mut line: Value, start: u64| {
            line["period"]["start"] = json!(start);
            line
        };
        let earlier = from(line("price_tollgate_starter", 900, 1, true), END - 100);
        let later = from(line("price_tollgate_team", 5_000, 1, true), END - 50);
        let free = from(line("price_tollgate_starter", 0, 1, true), END - 10);
        for lines in [[earlier.clone(), later.clone()], [later.clone(), earlier], [free, later]] {
            assert_eq!(told(&lines), Ok(("team".into(), 12_000, true, false)));
        }
    }

    #[test]
    fn a_whole_period_grants_the_allowance_for_each_unit() {
        assert_eq!(told(&[line("price_tollgate_team", 9_900, 1, false)]), Ok(("team".into(), 12_000, false, false)));
        assert_eq!(told(&[line("price_tollgate_team", 29_700, 3, false)]), Ok(("team".into(), 36_000, false, false)));
        let seats = [line("price_tollgate_team", 9_900, 1, false), line("price_tollgate_team", 19_800, 2, false)];
        assert_eq!(told(&seats), Ok(("team".into(), 36_000, false, false)));
        let mut one = line("price_tollgate_team", 9_900, 1, false);
        one["quantity"] = Value::Null;
        one["currency"] = Value::Null;
        assert_eq!(told(&[one]), Ok(("team".into(), 12_000, false, false)), "one unit, in the invoice's currency");
    }

    #[test]
    fn a_whole_line_counts_before_prorated_ones_and_others() {
        let lines = [
            line("price_tollgate_starter", 500, 1, true),
            line("price_of_something_else", 700, 1, false),
            line("price_tollgate_pack", 2_500, 1, false),
            line("price_tollgate_team", 9_900, 1, false),
            line("price_tollgate_starter", 0, 0, false),
        ];
        assert_eq!(told(&lines), Ok(("team".into(), 12_000, false, false)));
    }

    #[test]
    fn a_trial_grants_its_own_allowance_once() {
        assert_eq!(told(&[line("price_tollgate_starter", 0, 1, false)]), Ok(("starter".into(), 100, false, true)));
        assert_eq!(told(&[line("price_tollgate_starter", 0, 9, false)]), Ok(("starter".into(), 100, false, true)));
        assert_eq!(told(&[line("price_tollgate_team", 0, 1, false)]), Ok(("team".into(), 0, false, true)));
    }

    #[test]
    fn a_change_within_a_period_is_for_the_plan_that_began_last() {
        let back = line("price_tollgate_starter", -950, 1, true);
        let up = line("price_tollgate_team", 4_950, 1, true);
        assert_eq!(told(&[back.clone(), up.clone()]), Ok(("team".into(), 12_000, true, false)));
        assert_eq!(told(&[up.clone(), back.clone()]), Ok(("team".into(), 12_000, true, false)));
        let mut later = line("price_tollgate_starter", 100, 2, true);
        later["period"]["start"] = json!(END - 50);
        assert_eq!(told(&[up, later.clone()]), Ok(("starter".into(), 4_000, true, false)));
        assert_eq!(told(&[back]), Ok(("starter".into(), 0, false, false)), "only money back: nothing to grant");
        later["period"] = Value::Null;
        assert_eq!(due(&invoice(&[later]), &demo()).unwrap_err().code, "period_unknown");
    }

    #[test]
    fn what_does_not_match_a_plan_is_parked() {
        assert_eq!(refused(&[]), "price_unknown");
        assert_eq!(refused(&[line("price_of_something_else", 5, 1, false)]), "price_unknown");
        assert_eq!(refused(&[line("price_tollgate_pack", 2_500, 1, false)]), "price_unknown");
        assert_eq!(refused(&[line("price_tollgate_team", 9_899, 1, false)]), "amount_mismatch");
        assert_eq!(refused(&[line("price_tollgate_team", 9_901, 1, false)]), "amount_mismatch");
        assert_eq!(refused(&[line("price_tollgate_team", 9_900, 2, false)]), "amount_mismatch");
        assert_eq!(refused(&[line("price_tollgate_team", -9_900, 1, false)]), "amount_mismatch");
        assert_eq!(refused(&[line("price_tollgate_team", 9_900, u64::MAX, false)]), "amount_mismatch");
        assert_eq!(refused(&[line("price_tollgate_team", 9_900, u64::MAX, true)]), "amount_mismatch");
        let mut other = line("price_tollgate_team", 9_900, 1, false);
        other["currency"] = json!("eur");
        assert_eq!(refused(&[other]), "currency_mismatch");
        let two = [line("price_tollgate_team", 9_900, 1, false), line("price_tollgate_starter", 1_900, 1, false)];
        assert_eq!(refused(&two), "lines_ambiguous");
        let mut next = line("price_tollgate_team", 9_900, 1, false);
        next["period"]["end"] = json!(END + 1);
        assert_eq!(refused(&[line("price_tollgate_team", 9_900, 1, false), next]), "lines_ambiguous");
    }

    #[test]
    fn lines_that_are_not_all_there_are_not_taken_for_all() {
        let mut some = invoice(&[line("price_of_something_else", 5, 1, false)]);
        some.lines.has_more = true;
        assert_eq!(due(&some, &demo()).unwrap_err().code, "lines_incomplete");
        let prices = unmatched(&invoice(&[line("price_a", 5, 1, false), line("price_b", 5, 1, false)]));
        assert!(prices.detail.ends_with("price_a, price_b"), "{}", prices.detail);
    }
}
