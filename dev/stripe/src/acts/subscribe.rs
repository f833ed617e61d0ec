//! Subscriptions: begun, followed by what becomes of their invoices, ended, paused and resumed.

use serde_json::{Value, json};

use super::bill::{self, Collected};
use super::card;
use crate::api::error::ApiError;
use crate::shapes::invoice::{self, Bill, Line};
use crate::shapes::subscription::{self, Begin};
use crate::world::clock::period_end;
use crate::world::kind::Kind;
use crate::world::read::{list, number, text};
use crate::world::{AfterRetries, World};

const DAY_S: i64 = 86_400;
/// Stripe warns this long before a trial ends, or at once where the trial is shorter.
pub const TRIAL_WARNING_S: i64 = 3 * DAY_S;

/// What somebody subscribes to.
pub struct Wish {
    pub customer: String,
    pub items: Vec<(Value, i64)>,
    pub trial_end: Option<i64>,
    pub metadata: Value,
    pub payment_method: Option<String>,
    pub missing_payment_method: String,
}

/// Begins it with its first invoice, which is issued and not yet collected: the ids of both.
pub fn begin(world: &mut World, wish: &Wish) -> Result<(String, String), ApiError> {
    let now = world.now();
    let first = wish.items.first().ok_or_else(|| ApiError::lacking("items"))?;
    let end = wish.trial_end.unwrap_or_else(|| next_end(&first.0, now, now));
    let mut begun = subscription::subscription(
        world,
        &Begin {
            customer: &wish.customer,
            items: &wish.items,
            period: (now, end),
            trial_end: wish.trial_end,
            payment_method: wish.payment_method.as_deref(),
            missing_payment_method: &wish.missing_payment_method,
        },
    );
    begun["metadata"] = wish.metadata.clone();
    let id = text(&begun, "/id").to_owned();
    world.announce("customer.subscription.created", Kind::Subscription, begun.clone())?;
    let lines = full_lines(world, &begun, wish.trial_end.is_some());
    let issued = invoice(world, &begun, "subscription_create", lines, (now, now))?;
    world.edit(&id, |subscription| subscription["latest_invoice"] = issued.clone().into())?;
    if wish.trial_end.is_some_and(|end| end - now <= TRIAL_WARNING_S) {
        warn_of_trial_end(world, &id)?;
    }
    Ok((id, issued))
}

pub fn next_end(price: &Value, anchor: i64, start: i64) -> i64 {
    period_end(anchor, start, text(price, "/recurring/interval"), number(price, "/recurring/interval_count"))
}

/// The start and the end of the period under way.
pub fn period(subscription: &Value) -> (i64, i64) {
    let at = |name: &str| number(subscription, &format!("/items/data/0/{name}"));
    (at("current_period_start"), at("current_period_end"))
}

pub fn invoice(
    world: &mut World,
    subscription: &Value,
    reason: &str,
    lines: Vec<Value>,
    period: (i64, i64),
) -> Result<String, ApiError> {
    let customer = world.get(Kind::Customer, text(subscription, "/customer"))?;
    let currency = text(subscription, "/currency");
    let subscription = Some(subscription);
    bill::issue(world, Bill { customer: &customer, currency, reason, subscription, lines, period })
}

/// A line for each item over its period; a trial is free.
pub fn full_lines(world: &World, subscription: &Value, free: bool) -> Vec<Value> {
    let lines = list(subscription, "/items/data").iter().map(|item| {
        let price = &item["price"];
        let quantity = number(item, "/quantity");
        let amount = if free { 0 } else { number(price, "/unit_amount").saturating_mul(quantity) };
        let kind = if free { "Free trial for" } else { "Subscription to" };
        let line = Line {
            price,
            quantity,
            amount,
            period: (number(item, "/current_period_start"), number(item, "/current_period_end")),
            description: format!("{quantity} × {kind} {}", text(price, "/product")),
            of: Some((text(subscription, "/id"), text(item, "/id"))),
            proration: false,
        };
        invoice::line(world, &line)
    });
    lines.collect()
}

/// Lets a subscription's status follow what became of its invoice.
pub fn follow(world: &mut World, invoice: &str, collected: Collected) -> Result<(), ApiError> {
    let invoice = world.get(Kind::Invoice, invoice)?;
    let id = text(&invoice, "/parent/subscription_details/subscription").to_owned();
    let Some(subscription) = world.shelves.get(Kind::Subscription, &id).cloned() else { return Ok(()) };
    if card::ended(&subscription) {
        return Ok(());
    }
    let status = text(&subscription, "/status");
    if collected == Collected::Paid {
        let latest = subscription["latest_invoice"] == invoice["id"];
        if latest && ["incomplete", "past_due", "unpaid"].contains(&status) {
            set_status(world, &id, "active")?;
        }
        return Ok(());
    }
    if ["active", "trialing"].contains(&status) {
        set_status(world, &id, "past_due")?;
    }
    let given_up = invoice["next_payment_attempt"].is_null() && status != "incomplete";
    if given_up && collected == Collected::Declined {
        match world.after_retries {
            AfterRetries::Cancel => end(world, &id, "payment_failed")?,
            AfterRetries::Unpaid => set_status(world, &id, "unpaid")?,
            AfterRetries::PastDue => {}
        }
    }
    Ok(())
}

pub fn set_status(world: &mut World, id: &str, status: &str) -> Result<(), ApiError> {
    world.update("customer.subscription.updated", id, |subscription| subscription["status"] = status.into())?;
    Ok(())
}

/// `customer.subscription.deleted`.
pub fn end(world: &mut World, id: &str, reason: &str) -> Result<(), ApiError> {
    let now = world.now();
    world.edit(id, |subscription| {
        subscription["status"] = "canceled".into();
        subscription["ended_at"] = now.into();
        if subscription["canceled_at"].is_null() {
            subscription["canceled_at"] = now.into();
        }
        subscription["cancellation_details"]["reason"] = reason.into();
    })?;
    // What is still open is not tried again.
    let open: Vec<String> = open_invoices(world, id);
    for invoice in open {
        world.edit(&invoice, |invoice| invoice["next_payment_attempt"] = Value::Null)?;
    }
    world.tell("customer.subscription.deleted", Kind::Subscription, id)
}

pub fn open_invoices(world: &World, subscription: &str) -> Vec<String> {
    (world.shelves.all(Kind::Invoice))
        .filter(|invoice| text(invoice, "/parent/subscription_details/subscription") == subscription)
        .filter(|invoice| invoice["status"] == "open")
        .map(|invoice| text(invoice, "/id").to_owned())
        .collect()
}

/// Ends it with its period, or takes that back.
pub fn end_with_period(world: &mut World, id: &str, wanted: bool) -> Result<(), ApiError> {
    let now = world.now();
    world.update("customer.subscription.updated", id, |subscription| {
        let end = if wanted { json!(period(subscription).1) } else { Value::Null };
        let reason = if wanted { json!("cancellation_requested") } else { Value::Null };
        subscription["cancel_at_period_end"] = wanted.into();
        subscription["cancel_at"] = end;
        subscription["canceled_at"] = if wanted { now.into() } else { Value::Null };
        subscription["cancellation_details"]["reason"] = reason;
    })?;
    Ok(())
}

pub fn warn_of_trial_end(world: &mut World, id: &str) -> Result<(), ApiError> {
    world.edit(id, |subscription| subscription["trial_end_told"] = true.into())?;
    world.tell("customer.subscription.trial_will_end", Kind::Subscription, id)
}

/// Its status becomes paused, and nothing more is billed: `customer.subscription.paused`.
pub fn pause(world: &mut World, id: &str) -> Result<(), ApiError> {
    let subscription = world.get(Kind::Subscription, id)?;
    if !["active", "trialing", "past_due"].contains(&text(&subscription, "/status")) {
        return Err(ApiError::invalid(format!("A subscription that is {} can't be paused.", subscription["status"])));
    }
    world.edit(id, |subscription| subscription["status"] = "paused".into())?;
    world.tell("customer.subscription.paused", Kind::Subscription, id)
}

/// A new period begins now, with an invoice: `customer.subscription.resumed` once that is paid.
pub fn resume(world: &mut World, id: &str) -> Result<(), ApiError> {
    let now = world.now();
    let paused = world.get(Kind::Subscription, id)?;
    if paused["status"] != "paused" {
        return Err(ApiError::invalid("Only a paused subscription can be resumed."));
    }
    let subscription = world.edit(id, |subscription| {
        subscription["billing_cycle_anchor"] = now.into();
        set_period(subscription, now, now);
    })?;
    let lines = full_lines(world, &subscription, false);
    let issued = invoice(world, &subscription, "subscription_update", lines, (now, now))?;
    world.edit(id, |subscription| subscription["latest_invoice"] = issued.clone().into())?;
    if bill::collect(world, &issued, false)? == Collected::Paid {
        world.edit(id, |subscription| subscription["status"] = "active".into())?;
        world.tell("customer.subscription.resumed", Kind::Subscription, id)?;
    }
    Ok(())
}

/// The period that begins at `start`, counted from the anchor.
pub fn set_period(subscription: &mut Value, anchor: i64, start: i64) {
    for item in subscription["items"]["data"].as_array_mut().into_iter().flatten() {
        item["current_period_end"] = next_end(&item["price"], anchor, start).into();
        item["current_period_start"] = start.into();
    }
}
