//! A pretend Stripe with the demo plans, and the webhook that it delivers to.

use metering::testing::free_port;
use testing::{Ground, Program, Stripe, WEBHOOK_SECRET};

/// Both, ready.
pub async fn sell(ground: &Ground, postgres: &str) -> (Option<Stripe>, Option<Program>) {
    let (address, place) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let stripe = Stripe::start(ground, &address, &place);
    let text = format!(
        "listen = \"{place}\"\npostgres.url = \"{postgres}\"\nstripe.webhook_secrets = [\"{WEBHOOK_SECRET}\"]\n{}",
        stripe.settings()
    );
    let webhook = ground.service(("webhook", "webhook"), free_port(), &text).started();
    stripe.plant().await;
    webhook.wait_ready().await;
    (Some(stripe), Some(webhook))
}
