//! Cards: saved for a customer, and the one that an invoice is charged to.

use serde_json::Value;

use crate::api::error::ApiError;
use crate::shapes::customer::{self, Card};
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::text;

/// Saves a card for a customer without making it the one that is charged.
pub fn save(world: &mut World, customer: &str, card: Card) -> Result<String, ApiError> {
    let owner = world.get(Kind::Customer, customer)?;
    let method = customer::payment_method(world, card, Some(customer), owner["email"].as_str());
    let id = text(&method, "/id").to_owned();
    world.announce("payment_method.attached", Kind::PaymentMethod, method)?;
    Ok(id)
}

/// Makes a new card the one that a customer and all their subscriptions are charged to, as the portal does.
pub fn replace(world: &mut World, customer: &str, card: Card) -> Result<Value, ApiError> {
    let method = save(world, customer, card)?;
    let owner = world.update("customer.updated", customer, |customer| {
        customer["invoice_settings"]["default_payment_method"] = method.clone().into();
    })?;
    for subscription in live_subscriptions(world, customer) {
        world.update("customer.subscription.updated", &subscription, |subscription| {
            subscription["default_payment_method"] = method.clone().into();
        })?;
    }
    Ok(owner)
}

pub fn live_subscriptions(world: &World, customer: &str) -> Vec<String> {
    (world.shelves.all(Kind::Subscription))
        .filter(|subscription| subscription["customer"] == customer && !ended(subscription))
        .map(|subscription| text(subscription, "/id").to_owned())
        .collect()
}

pub fn ended(subscription: &Value) -> bool {
    ["canceled", "incomplete_expired"].contains(&text(subscription, "/status"))
}

/// The card that an invoice of this customer and subscription is charged to, if there is one.
pub fn charged(world: &World, customer: &str, subscription: &str) -> Option<String> {
    let of_subscription = world.shelves.get(Kind::Subscription, subscription);
    let of_customer = world.shelves.get(Kind::Customer, customer);
    let method = of_subscription.and_then(|found| found["default_payment_method"].as_str());
    let method = method.or_else(|| of_customer?["invoice_settings"]["default_payment_method"].as_str());
    method.map(str::to_owned)
}

pub fn kind_of(world: &World, method: &str) -> Card {
    world.shelves.get(Kind::PaymentMethod, method).map_or(Card::Good, Card::of)
}
