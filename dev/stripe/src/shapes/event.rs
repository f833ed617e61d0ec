//! The envelope in which an object is delivered.

use serde_json::{Map, Value, json};

use super::API_VERSION;
use crate::world::clock::wall_s;
use crate::world::kind::Kind;
use crate::world::{World, ids};

/// Events carry the real time, since that is when they are sent; the objects inside carry the pretend one.
pub fn event(world: &World, kind: &str, object: &Value, former: Option<Map<String, Value>>) -> Value {
    let mut content = json!({ "object": object });
    if let Some(former) = former {
        content["previous_attributes"] = Value::Object(former);
    }
    json!({
        "id": ids::fresh(Kind::Event),
        "object": "event",
        "api_version": API_VERSION,
        "created": wall_s(),
        "data": content,
        "livemode": world.live,
        "pending_webhooks": world.post.endpoints(),
        "request": { "id": world.asker.request, "idempotency_key": world.asker.idempotency_key },
        "type": kind,
    })
}
