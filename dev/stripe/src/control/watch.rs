//! What this double holds and what it has done.

use serde_json::{Map, Value, json};

use crate::world::World;
use crate::world::kind::Kind;

pub fn overview(world: &World) -> Value {
    let counts: Map<String, Value> =
        Kind::ALL.into_iter().map(|kind| (kind.path().to_owned(), world.shelves.count(kind).into())).collect();
    json!({
        "is": "pretend-stripe, a test double: no money moves",
        "url": world.base,
        "api_version": crate::shapes::API_VERSION,
        "livemode": world.live,
        "clock": { "now": world.now(), "ahead_s": world.clock.ahead_s() },
        "after_retries": world.after_retries,
        "switches": world.post.switches,
        "outage": world.outage.shown(),
        "endpoints": world.post.endpoints,
        "objects": counts,
    })
}

pub fn deliveries(world: &World) -> Value {
    json!({ "idle": world.post.is_idle(), "deliveries": world.post.deliveries })
}

pub fn forget_requests(world: &mut World) -> Value {
    world.seen.clear();
    world.seen.report()
}
