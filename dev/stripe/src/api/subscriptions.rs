//! Subscriptions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::form::{self, Metadata};
use crate::acts::bill::{self, Collected};
use crate::acts::change::{self, Proration};
use crate::acts::subscribe::{self, Wish};
use crate::acts::{card, renew};
use crate::world::World;
use crate::world::kind::Kind;

const DAY_S: i64 = 86_400;

#[derive(Deserialize)]
struct Params {
    customer: Option<String>,
    #[serde(default)]
    items: Vec<Item>,
    trial_period_days: Option<i64>,
    trial_end: Option<String>,
    default_payment_method: Option<String>,
    payment_behavior: Option<String>,
    #[serde(default)]
    proration_behavior: Proration,
    cancel_at_period_end: Option<bool>,
    /// An object, or an empty text that takes it away.
    pause_collection: Option<Value>,
    trial_settings: Option<TrialSettings>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Item {
    id: Option<String>,
    price: Option<String>,
    quantity: Option<i64>,
}

#[derive(Deserialize)]
struct TrialSettings {
    end_behavior: EndBehavior,
}

#[derive(Deserialize)]
struct EndBehavior {
    missing_payment_method: String,
}

pub fn create(world: &mut World, form: &str) -> Result<Value, ApiError> {
    let params: Params = form::read(form)?;
    let customer = params.customer.as_deref().ok_or_else(|| ApiError::lacking("customer"))?;
    world.get(Kind::Customer, customer).map_err(|err| err.named_by("customer"))?;
    let price = |item: &Item| {
        let id = item.price.as_deref().ok_or_else(|| ApiError::lacking("items[0][price]"))?;
        let price = world.get(Kind::Price, id).map_err(|err| err.named_by("items[0][price]"))?;
        Ok((price, item.quantity.unwrap_or(1)))
    };
    let items = params.items.iter().map(price).collect::<Result<Vec<_>, ApiError>>()?;
    let trial_end = params.trial_end.as_deref().and_then(|end| end.parse().ok());
    let trial_end = trial_end.or_else(|| params.trial_period_days.map(|days| world.now() + days * DAY_S));
    let missing = params.trial_settings.map(|settings| settings.end_behavior.missing_payment_method);
    let wish = Wish {
        customer: customer.to_owned(),
        items,
        trial_end: trial_end.filter(|end| *end > world.now()),
        metadata: json!(params.metadata),
        payment_method: params.default_payment_method,
        missing_payment_method: missing.unwrap_or_else(|| "create_invoice".to_owned()),
    };
    let (id, invoice) = subscribe::begin(world, &wish)?;
    // Whoever asked to pay later finds the open invoice's intent.
    if wish.trial_end.is_some() || params.payment_behavior.as_deref() != Some("default_incomplete") {
        let collected = bill::collect(world, &invoice, false)?;
        subscribe::follow(world, &invoice, collected)?;
    }
    world.get(Kind::Subscription, &id)
}

/// The subscription, which has not ended.
fn alive(world: &World, id: &str) -> Result<Value, ApiError> {
    let subscription = world.get(Kind::Subscription, id)?;
    if card::ended(&subscription) {
        return Err(ApiError::missing(Kind::Subscription, id));
    }
    Ok(subscription)
}

pub fn update(world: &mut World, id: &str, form: &str) -> Result<Value, ApiError> {
    let params: Params = form::read(form)?;
    alive(world, id)?;
    for item in &params.items {
        let price = item.price.as_deref().map(|price| world.get(Kind::Price, price)).transpose()?;
        change::change(world, id, item.id.as_deref(), (price, item.quantity), params.proration_behavior)?;
    }
    if let Some(wanted) = params.cancel_at_period_end {
        subscribe::end_with_period(world, id, wanted)?;
    }
    world.update("customer.subscription.updated", id, |subscription| {
        form::merge_metadata(subscription, &params.metadata);
        if let Some(pause) = &params.pause_collection {
            let behavior = &pause["behavior"];
            let paused = json!({ "behavior": behavior, "resumes_at": null });
            subscription["pause_collection"] = if behavior.is_string() { paused } else { Value::Null };
        }
        if let Some(method) = &params.default_payment_method {
            subscription["default_payment_method"] = method.as_str().into();
        }
    })?;
    if params.trial_end.as_deref() == Some("now") {
        end_trial(world, id)?;
    }
    world.get(Kind::Subscription, id)
}

fn end_trial(world: &mut World, id: &str) -> Result<(), ApiError> {
    let now = world.now();
    world.edit(id, |subscription| {
        subscription["trial_end"] = now.into();
        subscription["billing_cycle_anchor"] = now.into();
        for item in subscription["items"]["data"].as_array_mut().into_iter().flatten() {
            item["current_period_end"] = now.into();
        }
    })?;
    renew::renew(world, id)
}

pub fn cancel(world: &mut World, id: &str) -> Result<Value, ApiError> {
    alive(world, id)?;
    subscribe::end(world, id, "cancellation_requested")?;
    world.get(Kind::Subscription, id)
}

pub fn pause(world: &mut World, id: &str) -> Result<Value, ApiError> {
    subscribe::pause(world, id)?;
    world.get(Kind::Subscription, id)
}

pub fn resume(world: &mut World, id: &str) -> Result<Value, ApiError> {
    subscribe::resume(world, id)?;
    world.get(Kind::Subscription, id)
}

/// What a refused attempt is answered with.
pub fn refusal(collected: Collected) -> Option<ApiError> {
    match collected {
        Collected::Paid => None,
        Collected::Declined => Some(ApiError::declined()),
        Collected::NeedsAction => Some(ApiError::needs_action()),
    }
}
