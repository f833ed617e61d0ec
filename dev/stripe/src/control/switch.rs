//! The switches: deliveries, outages, endpoints, the clock, events made by hand.

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{read, watch};
use crate::acts::due;
use crate::api::error::ApiError;
use crate::api::outage::Order;
use crate::deliver::endpoint::{ENDPOINTS_MAX, Endpoint};
use crate::deliver::order;
use crate::deliver::post::State;
use crate::deliver::switches::Switches;
use crate::shapes;
use crate::world::kind::Kind;
use crate::world::{AfterRetries, World, shown};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    order: Option<Vec<String>>,
}

pub fn release(world: &mut World, release: &Release) -> Result<Value, ApiError> {
    let released = order::release(&mut world.post, release.order.as_deref()).map_err(ApiError::invalid)?;
    Ok(json!({ "released": released }))
}

/// What is not named goes back to its default.
pub fn switches(world: &mut World, method: &Method, body: &[u8]) -> Result<Value, ApiError> {
    if method == Method::POST {
        let switches: Switches = read(body)?;
        switches.check().map_err(ApiError::invalid)?;
        world.post.switches = switches;
    } else if method == Method::DELETE {
        world.post.switches = Switches::default();
    }
    Ok(json!(world.post.switches))
}

pub fn outage(world: &mut World, method: &Method, body: &[u8]) -> Result<Value, ApiError> {
    if method == Method::POST {
        let order: Order = read(body)?;
        world.outage.order(order).map_err(ApiError::invalid)?;
    } else if method == Method::DELETE {
        world.outage.clear();
    }
    Ok(json!({ "outage": world.outage.shown() }))
}

pub fn endpoints(world: &mut World, method: &Method, body: &[u8]) -> Result<Value, ApiError> {
    if method == Method::POST {
        let endpoint: Endpoint = read(body)?;
        endpoint.check().map_err(ApiError::invalid)?;
        if world.post.endpoints.len() >= ENDPOINTS_MAX {
            return Err(ApiError::invalid(format!("There are {ENDPOINTS_MAX} endpoints already.")));
        }
        world.post.endpoints.retain(|known| known.id != endpoint.id);
        world.post.endpoints.push(endpoint);
    }
    Ok(json!({ "endpoints": world.post.endpoints }))
}

pub fn remove_endpoint(world: &mut World, id: &str) -> Value {
    world.post.endpoints.retain(|endpoint| endpoint.id != id);
    json!({ "endpoints": world.post.endpoints })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance_s: Option<i64>,
    to: Option<i64>,
    after_retries: Option<AfterRetries>,
}

pub fn clock(world: &mut World, method: &Method, body: &[u8]) -> Result<Value, ApiError> {
    if method == Method::GET {
        return Ok(json!({ "now": world.now(), "ahead_s": world.clock.ahead_s() }));
    }
    let wanted: Move = read(body)?;
    if let Some(after) = wanted.after_retries {
        world.after_retries = after;
    }
    let to = wanted.to.unwrap_or_else(|| world.now().saturating_add(wanted.advance_s.unwrap_or(0)));
    due::advance(world, to)
}

/// Forgets everything but where events go.
pub fn reset(world: &mut World) -> Value {
    let mut fresh = World::new(world.base.clone(), world.live);
    fresh.post.endpoints = std::mem::take(&mut world.post.endpoints);
    *world = fresh;
    watch::overview(world)
}

/// An event made by hand: of an object that is kept, or of any other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    #[serde(rename = "type")]
    kind: String,
    /// The id of an object, or an object.
    object: Value,
    previous_attributes: Option<serde_json::Map<String, Value>>,
    id: Option<String>,
    created: Option<i64>,
    livemode: Option<bool>,
    api_version: Option<String>,
}

pub fn send_event(world: &mut World, made: Made) -> Result<Value, ApiError> {
    let object = match made.object.as_str() {
        Some(id) => {
            let (kind, document) = world.shelves.any(id).ok_or_else(|| ApiError::gone(id))?;
            shown(kind, document)
        }
        None => made.object,
    };
    let mut event = shapes::event::event(world, &made.kind, &object, made.previous_attributes);
    let given = [
        ("id", made.id.map(Value::from)),
        ("created", made.created.map(Value::from)),
        ("livemode", made.livemode.map(Value::from)),
        ("api_version", made.api_version.map(Value::from)),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            event[name] = value;
        }
    }
    world.emit_made(event.clone())?;
    Ok(event)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    copies: Option<u32>,
}

const COPIES_MAX: u32 = 100;

/// Delivers an event again, whatever the switches say.
pub fn deliver_again(world: &mut World, id: &str, again: &Again) -> Result<Value, ApiError> {
    let event = world.get(Kind::Event, id)?;
    let copies = again.copies.unwrap_or(1).min(COPIES_MAX);
    world.post.enter(&event, State::Waiting, copies);
    Ok(event)
}
