//! A webhook of the stack.

use std::path::PathBuf;

use metering::testing::free_port;
use testing::{Program, WEBHOOK_SECRET};

use super::House;

pub struct Webhook {
    pub program: Program,
    /// Where Stripe delivers to.
    url: String,
    /// The file that it was started with.
    pub settings: PathBuf,
}

impl Webhook {
    /// Where one will listen: chosen before it starts, because who delivers to it must know.
    pub fn place() -> String {
        format!("127.0.0.1:{}", free_port())
    }

    /// Where Stripe delivers to.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn start(house: &House<'_>, number: usize, place: &str, stripe: &str, settings: &str) -> Self {
        let name = format!("webhook-{number}");
        let text = format!(
            "listen = \"{place}\"\npostgres.url = \"{}\"\n{stripe}\
             stripe.webhook_secrets = [\"{WEBHOOK_SECRET}\"]\n{settings}",
            house.postgres
        );
        let program = house.ground.service(("webhook", &name), free_port(), &text).started();
        let url = format!("http://{place}/webhooks/stripe");
        Self { program, url, settings: house.ground.settings_of(&name) }
    }
}
