//! Fetching again what an event is about, so that its state of now counts and not that of a delivery which was late.

use metering::TimeMs;
use serde_json::Value;

use super::Seen;
use super::topic::Topic;
use crate::api::Stripe;
use crate::error::StripeError;
use crate::event::Event;
use crate::plans::Plans;

/// Prices of one product that are looked at.
const PRICES_MAX: usize = 20;

/// What is gone at Stripe is read as the event told it.
pub(super) async fn again(
    stripe: &Stripe,
    topic: Topic,
    event: &Event,
    plans: &Plans,
    now: TimeMs,
) -> Result<Seen, StripeError> {
    let Some(id) = event.object.get("id").and_then(Value::as_str) else { return Ok(Seen::told(event)) };
    let fetched = match topic {
        Topic::InvoicePaid | Topic::InvoiceFailed { .. } => stripe.invoice(id).await,
        Topic::Price => stripe.price(id).await,
        _ => stripe.object(topic.path(), id, &[]).await,
    };
    let object = match fetched {
        Ok(object) => object,
        Err(StripeError::Missing(_)) => return Ok(Seen::told(event)),
        Err(error) => return Err(error),
    };
    let mut seen = Seen::fetched(object, Some(event.created), now);
    match topic {
        Topic::Refund | Topic::Dispute => seen.links = links(stripe, &seen.object).await?,
        Topic::Product => seen.prices = prices(stripe, plans, id).await?,
        _ => {}
    }
    Ok(seen)
}

/// Which invoice a charge or a dispute is about: newer versions of the API say it only when asked by the payment intent.
pub(crate) async fn links(stripe: &Stripe, object: &Value) -> Result<Vec<(String, String)>, StripeError> {
    if object.get("invoice").is_some_and(Value::is_string) {
        return Ok(Vec::new());
    }
    let intent = object.get("payment_intent").map(|intent| intent.get("id").unwrap_or(intent));
    match intent.and_then(Value::as_str) {
        Some(intent) => stripe.invoices_of(intent).await,
        None => Ok(Vec::new()),
    }
}

async fn prices(stripe: &Stripe, plans: &Plans, product: &str) -> Result<Vec<Value>, StripeError> {
    let mut prices = Vec::new();
    for price in plans.of_product(product).filter_map(|plan| plan.price.as_deref()).take(PRICES_MAX) {
        match stripe.price(price).await {
            Ok(price) => prices.push(price),
            Err(StripeError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(prices)
}
