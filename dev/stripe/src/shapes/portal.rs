//! Billing portal sessions.

use serde_json::{Value, json};

use crate::world::World;
use crate::world::ids;
use crate::world::kind::Kind;

pub fn portal_session(world: &World, customer: &str, return_url: Option<&str>) -> Value {
    let id = ids::fresh(Kind::PortalSession);
    json!({
        "url": format!("{}/portal/{id}", world.base),
        "id": id,
        "object": "billing_portal.session",
        "configuration": "bpc_pretend",
        "created": world.now(),
        "customer": customer,
        "customer_account": null,
        "flow": null,
        "livemode": world.live,
        "locale": null,
        "on_behalf_of": null,
        "return_url": return_url,
    })
}
