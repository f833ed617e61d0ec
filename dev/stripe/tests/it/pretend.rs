//! Starts the program with an inbox, and speaks to its API and its controls.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::inbox::{Inbox, SECRET};

const KEY: &str = "sk_test_of_the_tests";

pub struct Pretend {
    child: Child,
    pub url: String,
    pub client: Client,
    pub inbox: Inbox,
}

pub type Form<'a> = &'a [(&'a str, &'a str)];

impl Pretend {
    pub async fn start() -> Pretend {
        Pretend::start_with(&[]).await
    }

    pub async fn start_with(args: &[&str]) -> Pretend {
        let inbox = Inbox::open().await;
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretend-stripe"));
        command.args(["--api-key", KEY, "--webhook", &inbox.url, "--webhook-secret", SECRET]).args(args);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("one line");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        let url = line["url"].as_str().expect("an address").to_owned();
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Pretend { child, url, client, inbox }
    }

    /// One with a plan, a dearer plan and a pack, and nothing in its inbox.
    pub async fn with_prices() -> Pretend {
        let stripe = Pretend::start().await;
        for (product, amount, interval) in
            [("pro", 2_000, Some("month")), ("max", 5_000, Some("month")), ("pack", 900, None)]
        {
            let seed = json!({
                "product": format!("prod_{product}"),
                "name": product,
                "price": format!("price_{product}"),
                "amount": amount,
                "currency": "eur",
                "interval": interval,
            });
            stripe.control("prices", seed).await;
        }
        stripe.kinds().await;
        stripe
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("a method");
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(KEY)
    }

    pub async fn get(&self, path: &str) -> Value {
        good(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, form: Form<'_>) -> Value {
        good(self.posting(path, form)).await
    }

    pub fn posting(&self, path: &str, form: Form<'_>) -> RequestBuilder {
        let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let form = "application/x-www-form-urlencoded";
        self.request("POST", path).header("content-type", form).body(body.join("&"))
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        good(self.request("POST", &format!("/_pretend/{path}")).body(body.to_string())).await
    }

    pub async fn customer(&self) -> String {
        id(&self.post("/v1/customers", &[("email", "ann@example.com"), ("metadata[account]", "acc_1")]).await)
    }

    /// A session for one of a price.
    pub async fn session(&self, mode: &str, price: &str, extra: Form<'_>) -> Value {
        let mut form = vec![
            ("mode", mode),
            ("line_items[0][price]", price),
            ("line_items[0][quantity]", "1"),
            ("success_url", "http://127.0.0.1:1/done?session={CHECKOUT_SESSION_ID}"),
            ("cancel_url", "http://127.0.0.1:1/back"),
        ];
        form.extend_from_slice(extra);
        self.post("/v1/checkout/sessions", &form).await
    }

    /// A customer who has subscribed to a price; nothing in the inbox. The subscription.
    pub async fn subscriber(&self, price: &str) -> Value {
        let customer = self.customer().await;
        let session = self.session("subscription", price, &[("customer", &customer)]).await;
        let paid = self.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
        self.kinds().await;
        let subscription = paid["subscription"].as_str().expect("a subscription");
        self.get(&format!("/v1/subscriptions/{subscription}")).await
    }

    /// A payment that was made for a pack; nothing in the inbox. The payment intent.
    pub async fn paid_pack(&self) -> String {
        let session = self.session("payment", "price_pack", &[]).await;
        let paid = self.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
        self.kinds().await;
        paid["payment_intent"].as_str().expect("an intent").to_owned()
    }

    /// The events since they were last asked for, once everything is delivered.
    pub async fn events(&self) -> Vec<Value> {
        let idle = self.control("idle", json!({})).await;
        assert_eq!(idle["idle"], true, "deliveries hang");
        self.inbox.take()
    }

    pub async fn kinds(&self) -> Vec<String> {
        let kind = |event: &Value| event["type"].as_str().expect("a kind").to_owned();
        self.events().await.iter().map(kind).collect()
    }
}

impl Drop for Pretend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn good(request: RequestBuilder) -> Value {
    let (status, body) = answer(request).await;
    assert_eq!(status, 200, "{body}");
    body
}

pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response: Response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().expect("an id").to_owned()
}

/// Where an event of that kind is among those told.
pub fn find<'a>(events: &'a [Value], kind: &str) -> &'a Value {
    events.iter().find(|event| event["type"] == kind).unwrap_or_else(|| panic!("no {kind} among {events:#?}"))
}

fn encode(value: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    value.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
