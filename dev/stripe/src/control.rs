//! The controls of this double, JSON in and JSON out: what people and banks do at Stripe, the clock, the switches.

mod money;
mod switch;
mod watch;

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::stage::Stage;
use crate::world::World;
use crate::world::clock::wall_ms;

/// How long a caller may wait for the post to be idle, and how often it is looked.
const IDLE_WITHIN_MAX_MS: i64 = 60_000;
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub async fn serve(State(stage): State<Stage>, method: Method, uri: Uri, body: Bytes) -> Response {
    let path = uri.path().trim_start_matches("/_pretend").trim_matches('/');
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts == ["idle"] {
        return answer(idle(&stage, &body).await);
    }
    answer(stage.act(|world| act(world, &method, &parts, &body)))
}

fn answer(result: Result<Value, ApiError>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(err) => (err.status, Json(err.body())).into_response(),
    }
}

/// Every control but the one that waits.
fn act(world: &mut World, method: &Method, parts: &[&str], body: &[u8]) -> Result<Value, ApiError> {
    match (method.as_str(), parts) {
        ("GET", []) => Ok(watch::overview(world)),
        ("GET", ["requests"]) => Ok(world.seen.report()),
        ("DELETE", ["requests"]) => Ok(watch::forget_requests(world)),
        ("GET", ["deliveries"]) => Ok(watch::deliveries(world)),
        ("POST", ["deliveries", "release"]) => switch::release(world, &read(body)?),
        ("GET" | "POST" | "DELETE", ["switches"]) => switch::switches(world, method, body),
        ("GET" | "POST" | "DELETE", ["outage"]) => switch::outage(world, method, body),
        ("GET" | "POST", ["endpoints"]) => switch::endpoints(world, method, body),
        ("DELETE", ["endpoints", id]) => Ok(switch::remove_endpoint(world, id)),
        ("GET" | "POST", ["clock"]) => switch::clock(world, method, body),
        ("POST", ["reset"]) => Ok(switch::reset(world)),
        ("POST", ["events"]) => switch::send_event(world, read(body)?),
        ("POST", ["events", id, "deliver"]) => switch::deliver_again(world, id, &read(body)?),
        ("POST", parts) => money::act(world, parts, body),
        _ => Err(ApiError::no_path(method.as_str(), &format!("/_pretend/{}", parts.join("/")))),
    }
}

/// A body that is empty is an empty object, so that `curl -X POST` is enough where nothing has to be said.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|err| ApiError::invalid(err.to_string()))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Within {
    within_ms: Option<i64>,
}

/// Waits until nothing is to be delivered, and says whether that came.
async fn idle(stage: &Stage, body: &[u8]) -> Result<Value, ApiError> {
    let within: Within = read(body)?;
    let until = wall_ms() + within.within_ms.unwrap_or(10_000).min(IDLE_WITHIN_MAX_MS);
    loop {
        let idle = stage.look(|world| world.post.is_idle());
        if idle || wall_ms() > until {
            return Ok(json!({ "idle": idle }));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
