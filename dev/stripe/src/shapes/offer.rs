//! Products and prices.

use serde_json::{Value, json};

use super::with_nulls;
use crate::world::World;

pub fn product(world: &World, id: &str, name: &str) -> Value {
    let document = json!({
        "id": id,
        "object": "product",
        "active": true,
        "attributes": [],
        "created": world.now(),
        "images": [],
        "livemode": world.live,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "type": "service",
        "updated": world.now(),
    });
    let empty = [
        "default_price",
        "description",
        "package_dimensions",
        "shippable",
        "statement_descriptor",
        "tax_code",
        "unit_label",
        "url",
    ];
    with_nulls(document, &empty)
}

/// How often a price is due.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Recurring {
    pub interval: String,
    pub interval_count: Option<i64>,
}

pub struct Price<'a> {
    pub id: &'a str,
    pub product: &'a str,
    pub amount: i64,
    pub currency: &'a str,
    pub recurring: Option<&'a Recurring>,
}

pub fn price(world: &World, price: &Price<'_>) -> Value {
    let recurring = price.recurring.map(|recurring| {
        json!({
            "interval": recurring.interval,
            "interval_count": recurring.interval_count.unwrap_or(1),
            "meter": null,
            "trial_period_days": null,
            "usage_type": "licensed",
        })
    });
    let document = json!({
        "id": price.id,
        "object": "price",
        "active": true,
        "billing_scheme": "per_unit",
        "created": world.now(),
        "currency": price.currency,
        "livemode": world.live,
        "metadata": {},
        "product": price.product,
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "type": if price.recurring.is_some() { "recurring" } else { "one_time" },
        "unit_amount": price.amount,
        "unit_amount_decimal": price.amount.to_string(),
    });
    with_nulls(document, &["custom_unit_amount", "lookup_key", "nickname", "tiers_mode", "transform_quantity"])
}

/// A recurring price under the older name by which subscription items still carry it.
pub fn plan(price: &Value) -> Value {
    json!({
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": price["livemode"],
        "metadata": {},
        "meter": null,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": null,
        "transform_usage": null,
        "trial_period_days": null,
        "usage_type": "licensed",
    })
}
