//! Customers, and their way into the billing portal.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::form::{self, Metadata};
use crate::acts::{card, subscribe};
use crate::shapes::{customer, portal};
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::text;

#[derive(Deserialize)]
struct Params {
    email: Option<String>,
    name: Option<String>,
    description: Option<String>,
    phone: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

impl Params {
    fn apply(&self, customer: &mut Value) {
        let given =
            [("email", &self.email), ("name", &self.name), ("description", &self.description), ("phone", &self.phone)];
        for (name, value) in given {
            if let Some(value) = value {
                customer[name] = Some(value.as_str()).filter(|value| !value.is_empty()).into();
            }
        }
        form::merge_metadata(customer, &self.metadata);
    }
}

pub fn create(world: &mut World, form: &str) -> Result<Value, ApiError> {
    let params: Params = form::read(form)?;
    let mut made = customer::customer(world, None, None);
    params.apply(&mut made);
    world.announce("customer.created", Kind::Customer, made.clone())?;
    Ok(made)
}

/// The customer, who is still there.
fn alive(world: &World, id: &str) -> Result<Value, ApiError> {
    let customer = world.get(Kind::Customer, id)?;
    if customer["deleted"] == true { Err(ApiError::missing(Kind::Customer, id)) } else { Ok(customer) }
}

pub fn update(world: &mut World, id: &str, form: &str) -> Result<Value, ApiError> {
    let params: Params = form::read(form)?;
    alive(world, id)?;
    world.update("customer.updated", id, |customer| params.apply(customer))
}

/// Ends what they subscribe to and leaves a stub that says that they are gone.
pub fn delete(world: &mut World, id: &str) -> Result<Value, ApiError> {
    alive(world, id)?;
    for subscription in card::live_subscriptions(world, id) {
        subscribe::end(world, &subscription, "cancellation_requested")?;
    }
    world.tell("customer.deleted", Kind::Customer, id)?;
    let gone = json!({ "id": id, "object": "customer", "deleted": true });
    world.edit(id, |customer| *customer = gone)
}

#[derive(Deserialize)]
struct Portal {
    customer: Option<String>,
    return_url: Option<String>,
}

pub fn open_portal(world: &mut World, form: &str) -> Result<Value, ApiError> {
    let params: Portal = form::read(form)?;
    let customer = params.customer.ok_or_else(|| ApiError::lacking("customer"))?;
    let customer = alive(world, &customer).map_err(|err| err.named_by("customer"))?;
    let session = portal::portal_session(world, text(&customer, "/id"), params.return_url.as_deref());
    world.announce("billing_portal.session.created", Kind::PortalSession, session.clone())?;
    Ok(session)
}
