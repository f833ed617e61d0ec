//! Refunds, and disputes that are given up.

use serde::Deserialize;
use serde_json::Value;

use super::error::ApiError;
use super::form::{self, Metadata};
use crate::acts::reverse;
use crate::world::World;
use crate::world::read::text;

#[derive(Deserialize)]
struct Params {
    charge: Option<String>,
    payment_intent: Option<String>,
    amount: Option<i64>,
    reason: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

pub fn create(world: &mut World, form: &str) -> Result<Value, ApiError> {
    let params: Params = form::read(form)?;
    let paid = params.charge.or(params.payment_intent).ok_or_else(|| ApiError::lacking("charge"))?;
    let charge = reverse::charge_of(world, &paid)?;
    let refund = reverse::refund(world, &charge, params.amount, params.reason.as_deref())?;
    world.edit(text(&refund, "/id"), |refund| form::merge_metadata(refund, &params.metadata))
}

/// Giving a dispute up is losing it.
pub fn close_dispute(world: &mut World, id: &str) -> Result<Value, ApiError> {
    reverse::close(world, id, false)
}
