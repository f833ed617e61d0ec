//! Products and prices.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::form::{self, Metadata};
use crate::shapes::offer::{self, Recurring};
use crate::world::kind::Kind;
use crate::world::read::text;
use crate::world::{World, ids};

#[derive(Deserialize)]
struct Product {
    id: Option<String>,
    name: Option<String>,
    active: Option<bool>,
    description: Option<String>,
    default_price: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

impl Product {
    fn apply(&self, product: &mut Value) {
        let given = [("name", &self.name), ("description", &self.description), ("default_price", &self.default_price)];
        for (name, value) in given {
            if let Some(value) = value {
                product[name] = value.as_str().into();
            }
        }
        if let Some(active) = self.active {
            product["active"] = active.into();
        }
        form::merge_metadata(product, &self.metadata);
    }
}

pub fn create_product(world: &mut World, form: &str) -> Result<Value, ApiError> {
    let params: Product = form::read(form)?;
    let name = params.name.as_deref().ok_or_else(|| ApiError::lacking("name"))?;
    let id = params.id.clone().unwrap_or_else(|| ids::fresh(Kind::Product));
    let mut product = offer::product(world, &id, name);
    params.apply(&mut product);
    world.announce("product.created", Kind::Product, product.clone())?;
    Ok(product)
}

pub fn update_product(world: &mut World, id: &str, form: &str) -> Result<Value, ApiError> {
    let params: Product = form::read(form)?;
    world.get(Kind::Product, id)?;
    let now = world.now();
    world.update("product.updated", id, |product| {
        params.apply(product);
        product["updated"] = now.into();
    })
}

/// A product that has a price stays, as at Stripe; it can be made inactive.
pub fn delete_product(world: &mut World, id: &str) -> Result<Value, ApiError> {
    world.get(Kind::Product, id)?;
    if world.shelves.all(Kind::Price).any(|price| price["product"] == id) {
        return Err(ApiError::invalid("This product cannot be deleted because it has one or more prices."));
    }
    world.tell("product.deleted", Kind::Product, id)?;
    let gone = json!({ "id": id, "object": "product", "deleted": true });
    world.edit(id, |product| *product = gone)
}

#[derive(Deserialize)]
struct Price {
    product: Option<String>,
    product_data: Option<NewProduct>,
    currency: Option<String>,
    unit_amount: Option<i64>,
    recurring: Option<Recurring>,
    active: Option<bool>,
    nickname: Option<String>,
    lookup_key: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct NewProduct {
    name: String,
}

impl Price {
    fn apply(&self, price: &mut Value) {
        for (name, value) in [("nickname", &self.nickname), ("lookup_key", &self.lookup_key)] {
            if let Some(value) = value {
                price[name] = value.as_str().into();
            }
        }
        if let Some(active) = self.active {
            price["active"] = active.into();
        }
        form::merge_metadata(price, &self.metadata);
    }
}

pub fn create_price(world: &mut World, form: &str) -> Result<Value, ApiError> {
    let params: Price = form::read(form)?;
    let currency = params.currency.as_deref().ok_or_else(|| ApiError::lacking("currency"))?.to_lowercase();
    let amount = params.unit_amount.ok_or_else(|| ApiError::lacking("unit_amount"))?;
    let product = match (&params.product, &params.product_data) {
        (Some(product), _) => world.get(Kind::Product, product)?,
        (None, Some(new)) => {
            let made = offer::product(world, &ids::fresh(Kind::Product), &new.name);
            world.announce("product.created", Kind::Product, made.clone())?;
            made
        }
        (None, None) => return Err(ApiError::lacking("product")),
    };
    let mut price = offer::price(
        world,
        &offer::Price {
            id: &ids::fresh(Kind::Price),
            product: text(&product, "/id"),
            amount,
            currency: &currency,
            recurring: params.recurring.as_ref(),
        },
    );
    params.apply(&mut price);
    world.announce("price.created", Kind::Price, price.clone())?;
    Ok(price)
}

/// What a price costs never changes, as at Stripe: another amount is another price.
pub fn update_price(world: &mut World, id: &str, form: &str) -> Result<Value, ApiError> {
    let params: Price = form::read(form)?;
    world.get(Kind::Price, id)?;
    world.update("price.updated", id, |price| params.apply(price))
}
