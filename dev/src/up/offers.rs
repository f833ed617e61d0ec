//! Products and prices of the demo plans, planted in the pretend Stripe as somebody would make them in the real one.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Setup;
use crate::http;

/// What `webhook` and `tollgate` sell where nobody says otherwise.
const PLANS: &str = include_str!("../../../config/plans.toml");

/// One plan that can be bought.
#[derive(Debug, Default, PartialEq, Eq)]
struct Offer<'a> {
    name: &'a str,
    product: &'a str,
    price: &'a str,
    amount: u64,
    currency: &'a str,
    recurring: bool,
}

/// Plants those that it has not kept from an earlier run.
pub fn plant(setup: &Setup) -> Result<()> {
    for offer in offers(PLANS) {
        let answer = http::post(
            setup.ports.stripe,
            "/_pretend/prices",
            &setup.passwords.stripe_api,
            &order(&offer).to_string(),
        )?;
        let known = answer.body.contains("\"resource_already_exists\"");
        if answer.status != 200 && !known {
            bail!("the pretend Stripe takes no price {}: {} {}", offer.price, answer.status, answer.body.trim());
        }
    }
    Ok(())
}

fn order(offer: &Offer<'_>) -> Value {
    json!({
        "price": offer.price, "product": offer.product, "name": offer.name, "amount": offer.amount,
        "currency": offer.currency, "interval": offer.recurring.then_some("month"),
    })
}

/// The plans of a file that have a price. It is one of ours, so each key stands on a line of its own.
fn offers(text: &str) -> Vec<Offer<'_>> {
    let plans = text.split("[[plan]]").skip(1);
    plans.map(offer).filter(|offer| !offer.price.is_empty()).collect()
}

fn offer(plan: &str) -> Offer<'_> {
    let mut offer = Offer::default();
    for (key, value) in plan.lines().filter_map(|line| line.split_once(" = ")) {
        let text = value.trim().trim_matches('"');
        match key.trim() {
            "name" => offer.name = text,
            "product" => offer.product = text,
            "price" => offer.price = text,
            "currency" => offer.currency = text,
            "amount" => offer.amount = text.parse().unwrap_or_default(),
            "kind" => offer.recurring = text == "recurring",
            _ => {}
        }
    }
    offer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_demo_plan_with_a_price_is_planted_whole() {
        let offers = offers(PLANS);
        assert_eq!(offers.len(), PLANS.matches("\nprice = \"price_").count());
        let starter = Offer {
            name: "Starter",
            product: "prod_tollgate_starter",
            price: "price_tollgate_starter",
            amount: 1_900,
            currency: "usd",
            recurring: true,
        };
        assert_eq!(offers.first(), Some(&starter));
        assert!(offers.iter().any(|offer| !offer.recurring), "a pack is bought once");
        for offer in &offers {
            assert!(offer.amount > 0 && offer.product.starts_with("prod_") && offer.currency.len() == 3, "{offer:?}");
        }
    }
}
