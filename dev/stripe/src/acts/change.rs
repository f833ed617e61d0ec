//! A subscription changes its plan or quantity in the middle of a period.

use serde_json::{Value, json};

use super::{bill, subscribe};
use crate::api::error::ApiError;
use crate::shapes::invoice::{self, Line};
use crate::shapes::offer;
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::{list, number, text};

/// When the difference is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    /// With the next invoice.
    #[default]
    CreateProrations,
    /// By an invoice of its own.
    AlwaysInvoice,
    None,
}

/// Moves an item (the first where none is named) to another price or quantity.
pub fn change(
    world: &mut World,
    id: &str,
    item: Option<&str>,
    (price, quantity): (Option<Value>, Option<i64>),
    proration: Proration,
) -> Result<(), ApiError> {
    let before = world.get(Kind::Subscription, id)?;
    let items = list(&before, "/items/data");
    let place = items.iter().position(|found| item.is_none_or(|item| found["id"] == item));
    let place = place.ok_or_else(|| ApiError::missing(Kind::Subscription, item.unwrap_or_default()))?;
    let old = &items[place];
    let price = price.unwrap_or_else(|| old["price"].clone());
    let quantity = quantity.unwrap_or_else(|| number(old, "/quantity"));
    let trial = before["status"] == "trialing";
    // Another rhythm begins a new period at once.
    let anew = !trial && interval(&price) != interval(&old["price"]);
    let now = world.now();
    let after = world.update("customer.subscription.updated", id, |subscription| {
        let item = &mut subscription["items"]["data"][place];
        item["plan"] = offer::plan(&price);
        item["price"] = price.clone();
        item["quantity"] = quantity.into();
        if anew {
            subscription["billing_cycle_anchor"] = now.into();
            subscribe::set_period(subscription, now, now);
        }
    })?;
    if trial || (proration == Proration::None && !anew) {
        return Ok(());
    }
    let mut lines = if proration == Proration::None { Vec::new() } else { vec![unused(world, &before, old)] };
    if anew {
        lines.extend(subscribe::full_lines(world, &after, false));
    } else {
        lines.push(remaining(world, &before, &after["items"]["data"][place]));
        if proration == Proration::CreateProrations {
            return wait(world, id, lines);
        }
    }
    let issued = subscribe::invoice(world, &after, "subscription_update", lines, (now, now))?;
    world.edit(id, |subscription| subscription["latest_invoice"] = issued.clone().into())?;
    let collected = bill::collect(world, &issued, false)?;
    subscribe::follow(world, &issued, collected)
}

fn interval(price: &Value) -> (&str, i64) {
    (text(price, "/recurring/interval"), number(price, "/recurring/interval_count"))
}

/// Keeps lines for the next invoice.
fn wait(world: &mut World, id: &str, lines: Vec<Value>) -> Result<(), ApiError> {
    world.edit(id, |subscription| {
        let mut waiting = list(subscription, "/pending_lines").to_vec();
        waiting.extend(lines);
        subscription["pending_lines"] = json!(waiting);
    })?;
    Ok(())
}

/// What was paid for and isn't used, as a credit.
fn unused(world: &World, subscription: &Value, item: &Value) -> Value {
    prorated(world, subscription, item, -1, "Unused time on")
}

/// What the rest of the period costs at the new price.
fn remaining(world: &World, subscription: &Value, item: &Value) -> Value {
    prorated(world, subscription, item, 1, "Remaining time on")
}

fn prorated(world: &World, subscription: &Value, item: &Value, sign: i64, words: &str) -> Value {
    let now = world.now();
    let (start, end) = subscribe::period(subscription);
    let quantity = number(item, "/quantity");
    let whole = number(item, "/price/unit_amount").saturating_mul(quantity);
    let amount = whole.saturating_mul((end - now.max(start)).max(0)) / (end - start).max(1);
    let line = Line {
        price: &item["price"],
        quantity,
        amount: sign * amount,
        period: (now, end),
        description: format!("{words} {quantity} × {}", text(item, "/price/product")),
        of: Some((text(subscription, "/id"), text(item, "/id"))),
        proration: true,
    };
    invoice::line(world, &line)
}
