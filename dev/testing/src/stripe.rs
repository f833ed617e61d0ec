//! The pretend Stripe of a test: what people and banks do there, and the webhook that it delivers to.

use std::time::Instant;

use config::plans::{DEMO, PlanKind, parse};
use serde_json::{Value, json};

use crate::{Ground, Program, wait_until};

const API_KEY: &str = "sk_test_0123456789abcdef0123456789abcdef";
/// What deliveries are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";

/// The program, and what it can be told to do (`dev/stripe/README.md`).
pub struct Stripe {
    _program: Program,
    /// Where it is found.
    pub url: String,
    ground: Ground,
}

impl Stripe {
    /// One at this address, which delivers to a webhook at that one.
    #[must_use]
    pub fn start(ground: &Ground, address: &str, webhook: &str) -> Self {
        let url = format!("http://{address}");
        let arguments = [
            ["--listen", address],
            ["--api-key", API_KEY],
            ["--webhook", &format!("http://{webhook}/webhooks/stripe")],
            ["--webhook-secret", WEBHOOK_SECRET],
        ];
        let arguments = arguments.concat().into_iter().map(str::to_owned).collect();
        let program = ground.program(("pretend-stripe", "pretend-stripe"), arguments, url.clone()).started();
        Self { _program: program, url, ground: ground.clone() }
    }

    /// Until it answers; then with a price for each demo plan that has one.
    pub async fn plant(&self) {
        let answers = async || self.ground.http.get(self.control("")).send().await.is_ok();
        wait_until(self.ground.patience, "the pretend Stripe answers", answers).await;
        for plan in parse("demo", DEMO).unwrap() {
            let Some(price) = plan.price else { continue };
            let recurring = plan.kind == PlanKind::Recurring;
            let order = json!({
                "product": plan.product, "name": plan.name, "price": price, "amount": plan.amount,
                "currency": plan.currency, "interval": recurring.then_some("month"),
            });
            self.order("prices", &order).await;
        }
    }

    /// The same keys for every program that talks to it.
    #[must_use]
    pub fn settings(&self) -> String {
        format!("stripe.api_url = \"{}\"\nstripe.api_key = \"{API_KEY}\"\n", self.url)
    }

    /// Has something done there; answers what it came to.
    pub async fn order(&self, what: &str, how: &Value) -> Value {
        let answer = self.ground.http.post(self.control(what)).json(how).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what} {how}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Delivers every event to this URL, too.
    pub async fn deliver_to(&self, url: &str) {
        self.order("endpoints", &json!({ "url": url, "secrets": [WEBHOOK_SECRET] })).await;
    }

    /// Takes an order of this kind back.
    pub async fn clear(&self, what: &str) {
        let answer = self.ground.http.delete(self.control(what)).send().await.unwrap();
        assert!(answer.status().is_success(), "{what}");
    }

    /// Until every event was delivered and answered 200; the instant at which that was seen.
    pub async fn delivered(&self) -> Instant {
        let idle = self.order("idle", &json!({ "within_ms": 60_000 })).await;
        assert_eq!(idle["idle"], true, "{}", self.deliveries().await);
        Instant::now()
    }

    /// Everything it has tried to deliver.
    pub async fn deliveries(&self) -> Value {
        self.ground.http.get(self.control("deliveries")).send().await.unwrap().json().await.unwrap()
    }

    fn control(&self, what: &str) -> String {
        format!("{}/_pretend/{what}", self.url)
    }
}
