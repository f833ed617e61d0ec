//! A subscription's period ends: the next one begins and is billed, or the subscription ends or pauses.

use serde_json::{Value, json};

use super::bill::{self, Collected};
use super::{card, subscribe};
use crate::api::error::ApiError;
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::{number, text};

pub fn renew(world: &mut World, id: &str) -> Result<(), ApiError> {
    let subscription = world.get(Kind::Subscription, id)?;
    let status = text(&subscription, "/status");
    if !["active", "trialing", "past_due", "unpaid"].contains(&status) {
        return Err(ApiError::invalid(format!("A subscription that is {status} doesn't renew.")));
    }
    if subscription["cancel_at_period_end"] == true {
        return subscribe::end(world, id, "cancellation_requested");
    }
    let customer = text(&subscription, "/customer").to_owned();
    if status == "trialing" && card::charged(world, &customer, id).is_none() {
        match text(&subscription, "/trial_settings/end_behavior/missing_payment_method") {
            "pause" => return subscribe::pause(world, id),
            "cancel" => return subscribe::end(world, id, "payment_failed"),
            _ => {}
        }
    }
    let issued = begin_next(world, id, &subscription)?;
    if let Some(behavior) = subscription["pause_collection"]["behavior"].as_str() {
        return leave_uncollected(world, &issued, behavior);
    }
    let collected = bill::collect(world, &issued, false)?;
    subscribe::follow(world, &issued, collected)
}

/// Moves the period on and issues its invoice, with what waited for it.
fn begin_next(world: &mut World, id: &str, subscription: &Value) -> Result<String, ApiError> {
    let (start, end) = subscribe::period(subscription);
    let mut next = subscription.clone();
    subscribe::set_period(&mut next, number(subscription, "/billing_cycle_anchor"), end);
    let mut lines = next["pending_lines"].as_array().cloned().unwrap_or_default();
    lines.extend(subscribe::full_lines(world, &next, false));
    let issued = subscribe::invoice(world, subscription, "subscription_cycle", lines, (start, end))?;
    world.update("customer.subscription.updated", id, |subscription| {
        subscription["items"] = next["items"].clone();
        subscription["latest_invoice"] = issued.clone().into();
        subscription["pending_lines"] = json!([]);
        if subscription["status"] == "trialing" {
            subscription["status"] = "active".into();
        }
    })?;
    Ok(issued)
}

/// What becomes of an invoice while collection is paused.
fn leave_uncollected(world: &mut World, invoice: &str, behavior: &str) -> Result<(), ApiError> {
    let now = world.now();
    match behavior {
        "void" => bill::void(world, invoice),
        "mark_uncollectible" => {
            world.edit(invoice, |invoice| {
                invoice["status"] = "uncollectible".into();
                invoice["status_transitions"]["marked_uncollectible_at"] = now.into();
            })?;
            world.tell("invoice.marked_uncollectible", Kind::Invoice, invoice)
        }
        _ => {
            world.edit(invoice, |invoice| {
                invoice["status"] = "draft".into();
                invoice["auto_advance"] = false.into();
            })?;
            Ok(())
        }
    }
}

/// Tries an open invoice again, as Stripe does on its own days and customers do from the portal.
pub fn retry(world: &mut World, invoice: &str, owner_is_there: bool) -> Result<Collected, ApiError> {
    let open = world.get(Kind::Invoice, invoice)?;
    if open["status"] != "open" {
        return Err(ApiError::invalid(format!("Invoice is {}.", text(&open, "/status"))));
    }
    let collected = bill::collect(world, invoice, owner_is_there)?;
    subscribe::follow(world, invoice, collected)?;
    Ok(collected)
}
