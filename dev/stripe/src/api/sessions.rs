//! Checkout sessions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::form::{self, Metadata};
use crate::acts::checkout;
use crate::shapes::offer::{self, Recurring};
use crate::shapes::session::{self, Asked, Bought};
use crate::world::kind::Kind;
use crate::world::read::{number, text};
use crate::world::{World, ids};

#[derive(Deserialize)]
struct Params {
    mode: Option<String>,
    #[serde(default)]
    line_items: Vec<Item>,
    customer: Option<String>,
    customer_email: Option<String>,
    customer_creation: Option<String>,
    client_reference_id: Option<String>,
    success_url: Option<String>,
    cancel_url: Option<String>,
    expires_at: Option<i64>,
    invoice_creation: Option<Enabled>,
    subscription_data: Option<SubscriptionPart>,
    payment_intent_data: Option<PaymentPart>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Enabled {
    enabled: bool,
}

#[derive(Deserialize)]
struct Item {
    price: Option<String>,
    price_data: Option<LoosePrice>,
    quantity: Option<i64>,
}

/// A price that is made for this session alone.
#[derive(Deserialize)]
struct LoosePrice {
    currency: String,
    unit_amount: i64,
    product: Option<String>,
    product_data: Option<Named>,
    recurring: Option<Recurring>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
struct SubscriptionPart {
    #[serde(default)]
    metadata: Metadata,
    trial_period_days: Option<i64>,
}

#[derive(Default, Deserialize)]
struct PaymentPart {
    #[serde(default)]
    metadata: Metadata,
    description: Option<String>,
}

pub fn create(world: &mut World, form: &str) -> Result<Value, ApiError> {
    let params: Params = form::read(form)?;
    check(world, &params)?;
    let mode = params.mode.clone().unwrap_or_default();
    let bought: Vec<Bought> =
        params.line_items.iter().map(|item| bought(world, item, &mode)).collect::<Result<_, _>>()?;
    if mode == "subscription" && !bought.iter().any(|bought| bought.price["type"] == "recurring") {
        let message = "You specified `subscription` mode without a recurring price.";
        return Err(ApiError::invalid(message).param("mode"));
    }
    let subscription = params.subscription_data.unwrap_or_default();
    let payment = params.payment_intent_data.unwrap_or_default();
    let asked = Asked {
        mode,
        customer: params.customer,
        customer_email: params.customer_email,
        client_reference_id: params.client_reference_id,
        success_url: params.success_url,
        cancel_url: params.cancel_url,
        expires_at: params.expires_at,
        invoice_creation: params.invoice_creation.is_some_and(|creation| creation.enabled),
        customer_creation: params.customer_creation,
        trial_days: subscription.trial_period_days.unwrap_or(0),
    };
    let mut session = session::session(world, &asked, &bought);
    session["subscription_data"] =
        json!({ "metadata": subscription.metadata, "trial_period_days": subscription.trial_period_days });
    session["payment_intent_data"] = json!({ "metadata": payment.metadata, "description": payment.description });
    form::merge_metadata(&mut session, &params.metadata);
    world.add(Kind::Session, session.clone())?;
    Ok(session)
}

fn check(world: &World, params: &Params) -> Result<(), ApiError> {
    match params.mode.as_deref() {
        Some("payment" | "subscription") => {}
        None => return Err(ApiError::lacking("mode")),
        Some(mode) => {
            return Err(ApiError::invalid(format!("pretend-stripe has no sessions of mode {mode}.")).param("mode"));
        }
    }
    if params.line_items.is_empty() {
        return Err(ApiError::lacking("line_items"));
    }
    if params.success_url.is_none() {
        return Err(ApiError::lacking("success_url"));
    }
    if params.customer.is_some() && params.customer_email.is_some() {
        return Err(ApiError::invalid("You may only specify one of these parameters: customer, customer_email."));
    }
    let deleted = |id: &str| world.shelves.get(Kind::Customer, id).is_none_or(|found| found["deleted"] == true);
    match params.customer.as_deref() {
        Some(customer) if deleted(customer) => Err(ApiError::missing(Kind::Customer, customer).named_by("customer")),
        _ => Ok(()),
    }
}

fn bought(world: &mut World, item: &Item, mode: &str) -> Result<Bought, ApiError> {
    let price = match (&item.price, &item.price_data) {
        (Some(price), _) => world.get(Kind::Price, price).map_err(|err| err.named_by("line_items[0][price]"))?,
        (None, Some(loose)) => loose_price(world, loose)?,
        (None, None) => return Err(ApiError::lacking("line_items[0][price]")),
    };
    let product = world.get(Kind::Product, text(&price, "/product"))?;
    if item.price.is_some() && (price["active"] != true || product["active"] != true) {
        let message = format!("The price specified is inactive: '{}'.", text(&price, "/id"));
        return Err(ApiError::invalid(message).param("line_items[0][price]"));
    }
    if mode == "payment" && price["type"] == "recurring" {
        return Err(ApiError::invalid("You specified `payment` mode but passed a recurring price.").param("mode"));
    }
    let quantity = item.quantity.unwrap_or(1);
    if quantity < 1 || number(&price, "/unit_amount") < 0 {
        return Err(ApiError::invalid("A quantity is at least 1.").param("line_items[0][quantity]"));
    }
    Ok(Bought { name: text(&product, "/name").to_owned(), price, quantity })
}

fn loose_price(world: &mut World, loose: &LoosePrice) -> Result<Value, ApiError> {
    let product = match (&loose.product, &loose.product_data) {
        (Some(product), _) => product.clone(),
        (None, Some(named)) => {
            let mut product = offer::product(world, &ids::fresh(Kind::Product), &named.name);
            product["active"] = false.into();
            world.add(Kind::Product, product.clone())?;
            text(&product, "/id").to_owned()
        }
        (None, None) => return Err(ApiError::lacking("line_items[0][price_data][product]")),
    };
    let mut price = offer::price(
        world,
        &offer::Price {
            id: &ids::fresh(Kind::Price),
            product: &product,
            amount: loose.unit_amount,
            currency: &loose.currency.to_lowercase(),
            recurring: loose.recurring.as_ref(),
        },
    );
    price["active"] = false.into();
    world.add(Kind::Price, price.clone())?;
    Ok(price)
}

pub fn expire(world: &mut World, id: &str) -> Result<Value, ApiError> {
    checkout::expire(world, id)
}

pub fn line_items(world: &World, id: &str) -> Result<Value, ApiError> {
    Ok(world.get(Kind::Session, id)?["line_items"].clone())
}
