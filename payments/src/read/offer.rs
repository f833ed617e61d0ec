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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::read::tests::{AS_OF, plans, seen, with};

    fn price() -> Value {
        json!({
            "id": "price_tollgate_team", "product": "prod_tollgate_team", "unit_amount": 9_900, "currency": "usd",
            "recurring": { "interval": "month" }, "active": true,
        })
    }

    fn wanted() -> Offer {
        Offer {
            price: "price_tollgate_team".into(),
            product: "prod_tollgate_team".into(),
            amount: Some(9_900),
            currency: "usd".into(),
            interval: Some("month".into()),
            active: true,
            product_active: true,
            name: "Team".into(),
            as_of: AS_OF,
        }
    }

    fn told(changes: Value) -> Vec<Effect> {
        price_seen(&seen(with(price(), changes)), &plans()).unwrap()
    }

    #[test]
    fn a_price_of_a_plan_is_told_as_it_is() {
        assert_eq!(told(json!({})), [Effect::OfferSeen(wanted())]);
        let inactive = Offer { active: false, ..wanted() };
        assert_eq!(told(json!({ "active": false })), [Effect::OfferSeen(inactive.clone())]);
        assert_eq!(told(json!({ "deleted": true })), [Effect::OfferSeen(inactive)]);
        let tiered = Offer { amount: None, interval: None, ..wanted() };
        assert_eq!(told(json!({ "unit_amount": null, "recurring": null })), [Effect::OfferSeen(tiered)]);
    }

    #[test]
    fn its_product_is_told_where_it_is_there() {
        let product = |active: bool| json!({ "id": "prod_tollgate_team", "name": "Team of ten", "active": active });
        let renamed = Offer { name: "Team of ten".into(), ..wanted() };
        assert_eq!(told(json!({ "product": product(true) })), [Effect::OfferSeen(renamed.clone())]);
        let off = Offer { product_active: false, ..renamed };
        assert_eq!(told(json!({ "product": product(false) })), [Effect::OfferSeen(off)]);
    }

    #[test]
    fn a_price_of_no_plan_is_nobody_s() {
        assert_eq!(told(json!({ "id": "price_of_something_else" })), []);
        assert_eq!(told(json!({ "currency": null })), []);
        assert_eq!(told(json!({ "product": null })), []);
    }

    #[test]
    fn a_product_tells_of_the_prices_that_were_fetched_with_it() {
        let mut product = seen(json!({ "id": "prod_tollgate_team", "name": "Team", "active": false }));
        assert_eq!(product_seen(&product, &plans()), Ok(vec![]));
        product.prices =
            vec![price(), with(price(), json!({ "id": "price_of_something_else" })), json!({ "no": "price" })];
        let off = Offer { product_active: false, ..wanted() };
        assert_eq!(product_seen(&product, &plans()), Ok(vec![Effect::OfferSeen(off.clone())]));
        product.object = json!({ "id": "prod_tollgate_team", "active": true, "deleted": true });
        assert_eq!(product_seen(&product, &plans()), Ok(vec![Effect::OfferSeen(off)]));
        product.object = json!({ "id": "prod_tollgate_team", "name": "Team", "active": true });
        assert_eq!(product_seen(&product, &plans()), Ok(vec![Effect::OfferSeen(wanted())]));
    }
}
