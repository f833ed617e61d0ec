//! `tollgate plans …`: what can be bought, and whether Stripe has it so.

use ledger::stripe::Offer;
use payments::{PlanKind, PlanState, Unready, plan_states, sync_plans};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::PlansCommand;
use crate::columns::aligned;
use crate::desk::Desk;
use crate::failure::{DRIFT, Failure};
use crate::instant::rfc3339;

pub async fn run(desk: &Desk, command: &PlansCommand) -> Result<Answer, Failure> {
    let plans = desk.plans()?;
    match command {
        PlansCommand::List => {
            let offers = desk.book.offers().await?;
            let configured = desk.stripe_settings().api_key.is_some();
            Ok(shown(&plan_states(&plans, &offers, configured), &offers))
        }
        PlansCommand::Sync => {
            let stripe = desk.stripe()?;
            let states = sync_plans(&desk.book, Some(&stripe), &plans, &desk.by).await?;
            let every_one = states.iter().all(|state| state.unready.is_none());
            let exit = if every_one { 0 } else { DRIFT };
            Ok(Answer { exit, ..shown(&states, &desk.book.offers().await?) })
        }
    }
}

fn shown(states: &[PlanState], offers: &[Offer]) -> Answer {
    let rows: Vec<[String; 5]> = states.iter().map(|state| row(state, seen(state, offers))).collect();
    let plans: Vec<Value> = states.iter().map(|state| to_json(state, seen(state, offers))).collect();
    let ready = states.iter().filter(|state| state.unready.is_none()).count();
    let mut lines = aligned(&rows);
    lines.push(format!("{ready} of {} plans can be bought", states.len()));
    Answer::new(json!({ "plans": plans, "ready": ready }), lines.join("\n"))
}

/// A plan's price as Stripe has it; the book also notes which it does not have.
fn seen<'a>(state: &PlanState, offers: &'a [Offer]) -> Option<&'a Offer> {
    let there = state.unready != Some(Unready::PriceMissing);
    offers.iter().find(|offer| there && Some(&offer.price) == state.plan.price.as_ref())
}

fn row(state: &PlanState, offer: Option<&Offer>) -> [String; 5] {
    let plan = &state.plan;
    let every = if plan.kind == PlanKind::Recurring { "each period" } else { "once" };
    let ready = match (&state.unready, offer) {
        (None, Some(_)) => "ready".to_owned(),
        (None, None) => "ready, though its price was never looked up: `tollgate plans sync` does".to_owned(),
        (Some(unready), offer) => {
            let stripe = offer.map(|offer| format!(" {}", of_stripe(offer))).unwrap_or_default();
            format!("{unready}{stripe}")
        }
    };
    let price = format!("{} {} {every}", plan.amount, plan.currency);
    [plan.code.clone(), plan.name.clone(), format!("{} credits", plan.allowance), price, ready]
}

/// What Stripe says of a price, for whoever looks for the difference.
fn of_stripe(offer: &Offer) -> String {
    let amount = offer.amount.map_or_else(|| "no amount".to_owned(), |amount| amount.to_string());
    let every = offer.interval.as_ref().map_or_else(|| "once".to_owned(), |interval| format!("each {interval}"));
    format!("Seen at Stripe: {amount} {} {every}, of {}.", offer.currency, offer.product)
}

fn to_json(state: &PlanState, offer: Option<&Offer>) -> Value {
    let plan = &state.plan;
    let kind = if plan.kind == PlanKind::Recurring { "recurring" } else { "one_off" };
    let seen = offer.map(|offer| {
        json!({
            "product": offer.product, "amount": offer.amount, "currency": offer.currency, "interval": offer.interval,
            "active": offer.active, "product_active": offer.product_active, "name": offer.name,
            "seen_at": rfc3339(offer.as_of),
        })
    });
    json!({
        "plan": plan.code, "name": plan.name, "kind": kind, "allowance": plan.allowance, "amount": plan.amount,
        "currency": plan.currency, "trial_days": plan.trial_days, "trial_allowance": plan.trial_allowance,
        "product": plan.product, "price": plan.price, "ready": state.unready.is_none(),
        "reason": state.unready.map(Unready::code), "detail": state.unready.map(|unready| unready.to_string()),
        "at_stripe": seen,
    })
}
