//! The pretend Stripe of the stack: what people and banks do there, and the webhook that it delivers to.

use std::path::PathBuf;
use std::time::Instant;

use metering::testing::free_port;
use serde_json::{Value, json};

use super::{House, Program, wait_until};

pub const API_KEY: &str = "sk_test_0123456789abcdef0123456789abcdef";
const SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";

pub struct Stripe {
    _program: Program,
    url: String,
    http: reqwest::Client,
}

impl Stripe {
    /// One that delivers to this address.
    pub fn start(house: &House<'_>, webhook: &str) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{address}");
        let arguments = [
            ["--listen", &address],
            ["--api-key", API_KEY],
            ["--webhook", &format!("{webhook}/webhooks/stripe")],
            ["--webhook-secret", SECRET],
        ];
        let arguments = arguments.concat().into_iter().map(str::to_owned).collect();
        let named = ("pretend-stripe", "stripe");
        let program = Program::start(house.directory, named, arguments, url.clone(), house.http.clone());
        Self { _program: program, url, http: house.http.clone() }
    }

    /// Until it answers; then with a price for each demo plan that has one.
    pub async fn plant(&self) {
        wait_until("the pretend Stripe answers", async || self.http.get(self.control("")).send().await.is_ok()).await;
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

    /// The same keys for every program that talks to it.
    pub fn settings(&self) -> String {
        format!("stripe.api_url = \"{}\"\nstripe.api_key = \"{API_KEY}\"\n", self.url)
    }

    /// Has something done there; answers what it came to.
    pub async fn order(&self, what: &str, how: &Value) -> Value {
        let answer = self.http.post(self.control(what)).json(how).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what} {how}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Delivers every event to this one, too.
    pub async fn deliver_to(&self, webhook: &Webhook) {
        self.order("endpoints", &json!({ "url": webhook.url, "secrets": [SECRET] })).await;
    }

    /// Takes an order of this kind back.
    pub async fn clear(&self, what: &str) {
        assert!(self.http.delete(self.control(what)).send().await.unwrap().status().is_success(), "{what}");
    }

    /// Until every event was delivered and answered 200; the instant at which that was seen.
    pub async fn delivered(&self) -> Instant {
        let wait = json!({ "within_ms": 60_000 });
        let idle = self.order("idle", &wait).await;
        assert_eq!(idle["idle"], true, "{}", self.deliveries().await);
        Instant::now()
    }

    /// Everything it has tried to deliver.
    pub async fn deliveries(&self) -> Value {
        self.http.get(self.control("deliveries")).send().await.unwrap().json().await.unwrap()
    }

    fn control(&self, what: &str) -> String {
        format!("{}/_pretend/{what}", self.url)
    }
}

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
        let admin = format!("127.0.0.1:{}", free_port());
        let text = format!(
            "listen = \"{place}\"\nadmin_listen = \"{admin}\"\npostgres.url = \"{}\"\n{stripe}\
             stripe.webhook_secrets = [\"{SECRET}\"]\n{settings}\n",
            house.postgres
        );
        let path = house.directory.join(format!("{name}.toml"));
        std::fs::write(&path, text).unwrap();
        let arguments = vec!["--config".to_owned(), path.display().to_string()];
        let named = ("webhook", name.as_str());
        let program = Program::start(house.directory, named, arguments, format!("http://{admin}"), house.http.clone());
        Self { program, url: format!("http://{place}/webhooks/stripe"), settings: path }
    }
}
