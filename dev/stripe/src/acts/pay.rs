//! One payment intent on its way: paid, declined, waiting for the card's owner, or under way for days.

use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::shapes::payment::{self, Due};
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::text;

pub fn open(world: &mut World, due: &Due) -> Result<String, ApiError> {
    let intent = payment::intent(world, due);
    let id = text(&intent, "/id").to_owned();
    world.announce("payment_intent.created", Kind::PaymentIntent, intent)?;
    Ok(id)
}

/// The money arrives: `payment_intent.succeeded`, `charge.succeeded`.
pub fn succeed(world: &mut World, intent: &str, method: &str) -> Result<(), ApiError> {
    let method = world.get(Kind::PaymentMethod, method)?;
    let open = world.get(Kind::PaymentIntent, intent)?;
    let charge = payment::charge(world, &open, &method, true);
    world.edit(intent, |intent| {
        intent["status"] = "succeeded".into();
        intent["amount_received"] = intent["amount"].clone();
        intent["latest_charge"] = charge["id"].clone();
        intent["payment_method"] = method["id"].clone();
        intent["last_payment_error"] = Value::Null;
        intent["next_action"] = Value::Null;
    })?;
    world.tell("payment_intent.succeeded", Kind::PaymentIntent, intent)?;
    world.announce("charge.succeeded", Kind::Charge, charge)
}

/// The card is declined: `charge.failed`, `payment_intent.payment_failed`; the intent may be tried again.
pub fn decline(world: &mut World, intent: &str, method: Option<&str>) -> Result<(), ApiError> {
    let open = world.get(Kind::PaymentIntent, intent)?;
    let method = method.map(|method| world.get(Kind::PaymentMethod, method)).transpose()?;
    let charge = method.as_ref().map(|method| payment::charge(world, &open, method, false));
    if let Some(charge) = &charge {
        world.announce("charge.failed", Kind::Charge, charge.clone())?;
    }
    world.edit(intent, |intent| {
        intent["status"] = "requires_payment_method".into();
        intent["latest_charge"] = charge.as_ref().map(|charge| charge["id"].clone()).into();
        intent["last_payment_error"] = json!({
            "advice_code": "try_again_later",
            "code": "card_declined",
            "decline_code": "generic_decline",
            "message": "Your card was declined.",
            "payment_method": method,
            "type": "card_error",
        });
    })?;
    world.tell("payment_intent.payment_failed", Kind::PaymentIntent, intent)
}

/// The card's owner must confirm it.
pub fn ask_owner(world: &mut World, intent: &str, method: &str) -> Result<(), ApiError> {
    world.edit(intent, |intent| {
        intent["status"] = "requires_action".into();
        intent["payment_method"] = method.into();
        intent["next_action"] = json!({ "type": "use_stripe_sdk", "use_stripe_sdk": {} });
    })?;
    world.tell("payment_intent.requires_action", Kind::PaymentIntent, intent)
}

/// A method that takes days was started.
pub fn process(world: &mut World, intent: &str, method: &str) -> Result<(), ApiError> {
    world.edit(intent, |intent| {
        intent["status"] = "processing".into();
        intent["payment_method"] = method.into();
    })?;
    world.tell("payment_intent.processing", Kind::PaymentIntent, intent)
}
