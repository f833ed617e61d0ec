//! Invoices.

use serde_json::Value;

use super::error::ApiError;
use super::subscriptions::refusal;
use crate::acts::{bill, renew};
use crate::world::World;
use crate::world::kind::Kind;

pub fn pay(world: &mut World, id: &str) -> Result<Value, ApiError> {
    let collected = renew::retry(world, id, false)?;
    match refusal(collected) {
        Some(refused) => Err(refused),
        None => world.get(Kind::Invoice, id),
    }
}

pub fn void(world: &mut World, id: &str) -> Result<Value, ApiError> {
    if world.get(Kind::Invoice, id)?["status"] != "open" {
        return Err(ApiError::invalid("You can only void an open invoice."));
    }
    bill::void(world, id)?;
    world.get(Kind::Invoice, id)
}

pub fn lines(world: &World, id: &str) -> Result<Value, ApiError> {
    Ok(world.get(Kind::Invoice, id)?["lines"].clone())
}
