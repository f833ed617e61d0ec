//! A pretend Stripe with the demo plans, and the webhook that it delivers to.

use std::path::Path;

use metering::testing::free_port;
use serde_json::{Value, json};

use super::{Program, wait_until};

const API_KEY: &str = "sk_test_0123456789abcdef0123456789abcdef";
const WEBHOOK_SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";

pub struct Stripe {
    _program: Program,
    pub webhook: Program,
    pub url: String,
    http: reqwest::Client,
}

impl Stripe {
    /// Both, ready, with a price for each demo plan that has one.
    pub async fn start(directory: &Path, postgres: &str, http: &reqwest::Client) -> Self {
        let (address, webhook) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
        let url = format!("http://{address}");
        let deliveries = format!("http://{webhook}/webhooks/stripe");
        let arguments = [
            ["--listen", &address],
            ["--api-key", API_KEY],
            ["--webhook", &deliveries],
            ["--webhook-secret", WEBHOOK_SECRET],
        ];
        let arguments: Vec<String> = arguments.concat().into_iter().map(str::to_owned).collect();
        let program = Program::run(directory, "pretend-stripe", &arguments, url.clone(), http.clone());
        let text = format!(
            "listen = \"{webhook}\"\npostgres.url = \"{postgres}\"\nstripe.webhook_secrets = [\"{WEBHOOK_SECRET}\"]\n{}",
            settings(&url)
        );
        let webhook = Program::start(directory, "webhook", &text, http.clone());
        let stripe = Self { _program: program, webhook, url, http: http.clone() };
        stripe.plant().await;
        stripe.webhook.wait_ready().await;
        stripe
    }

    /// What the console must know to sell here.
    pub fn settings(&self) -> String {
        settings(&self.url)
    }

    /// Has something done there (`dev/stripe/README.md`); answers what it came to.
    pub async fn order(&self, what: &str, how: &Value) -> Value {
        let answer = self.http.post(format!("{}/_pretend/{what}", self.url)).json(how).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what} {how}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Takes an order of this kind back.
    pub async fn clear(&self, what: &str) {
        let answer = self.http.delete(format!("{}/_pretend/{what}", self.url)).send().await.unwrap();
        assert!(answer.status().is_success(), "{what}");
    }

    /// Until every event was delivered and answered 200.
    pub async fn delivered(&self) {
        let idle = self.order("idle", &json!({ "within_ms": 60_000 })).await;
        assert_eq!(idle["idle"], true);
    }

    async fn plant(&self) {
        let there = format!("{}/_pretend/", self.url);
        wait_until("the pretend Stripe answers", async || self.http.get(&there).send().await.is_ok()).await;
        for plan in config::plans::parse("demo", config::plans::DEMO).unwrap() {
            let Some(price) = plan.price else { continue };
            let recurring = plan.kind == config::plans::PlanKind::Recurring;
            let order = json!({
                "product": plan.product, "name": plan.name, "price": price, "amount": plan.amount,
                "currency": plan.currency, "interval": recurring.then_some("month"),
            });
            self.order("prices", &order).await;
        }
    }
}

fn settings(url: &str) -> String {
    format!("stripe.api_url = \"{url}\"\nstripe.api_key = \"{API_KEY}\"\n")
}
