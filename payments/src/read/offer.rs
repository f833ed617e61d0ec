//! Prices and products as Stripe has them now, for the plans that name them.

use ledger::stripe::{Effect, Offer, Parking};
use metering::TimeMs;

use super::Seen;
use crate::objects::{self, Price, Product};
use crate::plans::{Plan, Plans};

pub(super) fn price_seen(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    let price: Price = seen.read()?;
    let offer = plans.by_price(&price.id).and_then(|plan| offer_of(&price, None, plan, seen.as_of));
    Ok(offer.map(Effect::OfferSeen).into_iter().collect())
}

/// A product says nothing of its prices, so those are there only where they were fetched.
pub(super) fn product_seen(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    let product: Product = seen.read()?;
    let offer = |price: &serde_json::Value| {
        let price: Price = objects::read(price).ok()?;
        let plan = plans.by_price(&price.id)?;
        offer_of(&price, Some(&product), plan, seen.as_of).map(Effect::OfferSeen)
    };
    Ok(seen.prices.iter().filter_map(offer).collect())
}

/// A price with its product, as far as both are known. `None` where it names no product or currency.
pub(crate) fn offer_of(price: &Price, product: Option<&Product>, plan: &Plan, as_of: TimeMs) -> Option<Offer> {
    let expanded = price.product();
    let product = expanded.as_ref().or(product);
    Some(Offer {
        price: price.id.clone(),
        product: price.product_id().or_else(|| product.map(|product| product.id.clone()))?,
        amount: price.unit_amount,
        currency: price.currency.clone()?,
        interval: price.recurring.as_ref().map(|recurring| recurring.interval.clone().unwrap_or_default()),
        active: price.active && !price.deleted,
        product_active: product.is_none_or(|product| product.active && !product.deleted),
        name: product.and_then(|product| product.name.clone()).unwrap_or_else(|| plan.name.clone()),
        as_of,
    })
}
