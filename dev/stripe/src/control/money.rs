//! What people and banks do: pay, fail to pay, change a card, renew, want their money back.

use serde::Deserialize;
use serde_json::{Value, json};

use super::read;
use crate::acts::checkout::{self, Buyer, How};
use crate::acts::{card, renew, reverse, settle, subscribe};
use crate::api::error::ApiError;
use crate::shapes::customer::Card;
use crate::shapes::offer::{self, Recurring};
use crate::world::kind::Kind;
use crate::world::{World, ids};

pub fn act(world: &mut World, parts: &[&str], body: &[u8]) -> Result<Value, ApiError> {
    match parts {
        ["prices"] => seed(world, &read(body)?),
        ["sessions", id, "pay"] => pay(world, id, read(body)?),
        ["sessions", id, "fail"] => fail(world, id),
        ["sessions", id, "settle"] => settle::settle(world, id, read::<Settle>(body)?.succeeds),
        ["sessions", id, "expire"] => checkout::expire(world, id),
        ["customers", id, "card"] => card::replace(world, id, read::<NewCard>(body)?.card),
        ["subscriptions", id, "renew"] => renew_subscription(world, id, &read(body)?),
        ["subscriptions", id, "cancel"] => cancel(world, id, &read(body)?),
        ["subscriptions", id, "pause"] => then(world, Kind::Subscription, id, subscribe::pause),
        ["subscriptions", id, "resume"] => then(world, Kind::Subscription, id, subscribe::resume),
        ["invoices", id, "pay"] => {
            then(world, Kind::Invoice, id, |world, id| renew::retry(world, id, true).map(|_| ()))
        }
        ["refunds"] => refund(world, &read(body)?),
        ["disputes"] => dispute(world, &read(body)?),
        ["disputes", id, "close"] => reverse::close(world, id, read::<Close>(body)?.won),
        _ => Err(ApiError::no_path("POST", &format!("/_pretend/{}", parts.join("/")))),
    }
}

fn then(
    world: &mut World,
    kind: Kind,
    id: &str,
    act: impl FnOnce(&mut World, &str) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    act(world, id)?;
    world.get(kind, id)
}

/// A product and a price under ids of the caller's choice, so that a configuration can name them beforehand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    product: Option<String>,
    name: Option<String>,
    price: Option<String>,
    amount: i64,
    currency: String,
    interval: Option<String>,
    interval_count: Option<i64>,
}

fn seed(world: &mut World, seed: &Seed) -> Result<Value, ApiError> {
    let product = seed.product.clone().unwrap_or_else(|| ids::fresh(Kind::Product));
    if world.shelves.get(Kind::Product, &product).is_none() {
        let made = offer::product(world, &product, seed.name.as_deref().unwrap_or("A plan"));
        world.announce("product.created", Kind::Product, made)?;
    }
    let recurring = seed.interval.clone().map(|interval| Recurring { interval, interval_count: seed.interval_count });
    let id = seed.price.clone().unwrap_or_else(|| ids::fresh(Kind::Price));
    let currency = seed.currency.to_lowercase();
    let wanted = offer::Price {
        id: &id,
        product: &product,
        amount: seed.amount,
        currency: &currency,
        recurring: recurring.as_ref(),
    };
    let price = offer::price(world, &wanted);
    world.announce("price.created", Kind::Price, price.clone())?;
    Ok(price)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    #[serde(default)]
    card: Card,
    #[serde(default)]
    later: bool,
    email: Option<String>,
}

fn pay(world: &mut World, id: &str, pay: Pay) -> Result<Value, ApiError> {
    let how = if pay.later { How::Later } else { How::Now(pay.card) };
    checkout::pay(world, id, &Buyer { how, email: pay.email })
}

/// A declined attempt is what was wanted here, so it is no error.
fn fail(world: &mut World, id: &str) -> Result<Value, ApiError> {
    checkout::open_session(world, id)?;
    match checkout::pay(world, id, &Buyer { how: How::Now(Card::Failing), email: None }) {
        Err(err) if err.status == axum::http::StatusCode::PAYMENT_REQUIRED => world.get(Kind::Session, id),
        other => other,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    succeeds: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCard {
    card: Card,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Renew {
    /// The card that the customer is given before.
    card: Option<Card>,
}

/// Renews one subscription as if its period had ended; the clock and all others stay where they are.
fn renew_subscription(world: &mut World, id: &str, wanted: &Renew) -> Result<Value, ApiError> {
    let subscription = world.get(Kind::Subscription, id)?;
    if let (Some(card), Some(customer)) = (wanted.card, subscription["customer"].as_str()) {
        card::replace(world, customer, card)?;
    }
    renew::renew(world, id)?;
    let subscription = world.get(Kind::Subscription, id)?;
    let invoice = subscription["latest_invoice"].as_str().unwrap_or_default();
    let invoice = world.shelves.get(Kind::Invoice, invoice).cloned();
    Ok(json!({ "subscription": subscription, "invoice": invoice }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    #[serde(default)]
    at_period_end: bool,
}

fn cancel(world: &mut World, id: &str, cancel: &Cancel) -> Result<Value, ApiError> {
    if cancel.at_period_end {
        subscribe::end_with_period(world, id, true)?;
    } else {
        subscribe::end(world, id, "cancellation_requested")?;
    }
    world.get(Kind::Subscription, id)
}

/// Of a charge, a payment intent or an invoice; without an amount all that is left.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Back {
    of: String,
    amount: Option<i64>,
    reason: Option<String>,
}

fn refund(world: &mut World, back: &Back) -> Result<Value, ApiError> {
    let charge = reverse::charge_of(world, &back.of)?;
    reverse::refund(world, &charge, back.amount, back.reason.as_deref().or(Some("requested_by_customer")))
}

fn dispute(world: &mut World, back: &Back) -> Result<Value, ApiError> {
    let charge = reverse::charge_of(world, &back.of)?;
    reverse::dispute(world, &charge, back.amount, back.reason.as_deref().unwrap_or("fraudulent"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Close {
    won: bool,
}
