//! How events get to whoever wants them: signed, again after a failure, and as badly as was ordered.

use serde_json::{Value, json};

use crate::inbox::{Inbox, SECRET};
use crate::pretend::{Pretend, answer, id};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_refused_comes_again_until_it_is_taken() {
    let stripe = Pretend::start().await;
    stripe.control("switches", json!({ "retry_ms": 20 })).await;
    stripe.inbox.answer_next(&[500, 302]);
    stripe.customer().await;
    let events = stripe.events().await;
    assert_eq!(events.len(), 3, "two refusals and the one that was taken");
    assert!(events.iter().all(|event| event == &events[0]));
    let told = stripe.get("/_pretend/deliveries").await;
    let delivery = &told["deliveries"][0];
    assert_eq!((&delivery["attempts"], &delivery["state"]), (&json!(3), &json!("delivered")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_given_up_after_its_last_attempt() {
    let stripe = Pretend::start().await;
    stripe.control("switches", json!({ "retry_ms": 5, "attempts_max": 2 })).await;
    stripe.inbox.answer_next(&[500, 500]);
    stripe.customer().await;
    assert_eq!(stripe.events().await.len(), 2);
    let told = stripe.get("/_pretend/deliveries").await;
    assert_eq!(
        (&told["deliveries"][0]["state"], &told["deliveries"][0]["last_status"]),
        (&json!("given_up"), &json!(500))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_come_twice_late_in_another_order_or_never() {
    let stripe = Pretend::with_prices().await;
    let session = stripe.session("payment", "price_pack", &[]).await;
    let switches = json!({
        "duplicate": 1,
        "delay_ms": 50,
        "reorder": "reverse",
        "drop": ["charge.succeeded"],
        "parallel": 4,
    });
    stripe.control("switches", switches).await;
    stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    let mut kinds = stripe.kinds().await;
    assert_eq!(kinds.len(), 6);
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["checkout.session.completed", "payment_intent.created", "payment_intent.succeeded"]);
    stripe.control("switches", json!({ "reorder": "reverse" })).await;
    let session = stripe.session("payment", "price_pack", &[]).await;
    stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    assert_eq!(stripe.kinds().await[0], "checkout.session.completed");
    let dropped = stripe.get("/v1/events?type=charge.succeeded").await;
    let oldest = id(dropped["data"].as_array().unwrap().last().unwrap());
    stripe.control(&format!("events/{oldest}/deliver"), json!({ "copies": 2 })).await;
    assert_eq!(stripe.kinds().await, ["charge.succeeded", "charge.succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn held_deliveries_go_in_the_order_that_is_wanted() {
    let stripe = Pretend::with_prices().await;
    stripe.control("switches", json!({ "hold": true })).await;
    let session = stripe.session("subscription", "price_pro", &[]).await;
    stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    assert_eq!(stripe.kinds().await, [""; 0]);
    let order = ["customer.subscription.updated", "invoice.paid", "checkout.session.completed", "invoice.paid"];
    stripe.control("deliveries/release", json!({ "order": order })).await;
    assert_eq!(stripe.kinds().await, order);
    let rest = stripe.control("deliveries/release", json!({})).await;
    assert_eq!(rest["released"], stripe.kinds().await.len());
    let unknown = stripe.request("POST", "/_pretend/deliveries/release").body(r#"{"order":["invoice.paid"]}"#);
    assert_eq!(answer(unknown).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_endpoints_get_what_they_want_signed_by_all_their_secrets() {
    let stripe = Pretend::start().await;
    let other = Inbox::open().await;
    let endpoint = json!({
        "url": other.url,
        "secrets": ["whsec_another_secret_of_some_length", SECRET],
        "kinds": ["product.created"],
        "api_version": "2027-01-01.later",
    });
    let known = stripe.control("endpoints", endpoint).await;
    assert!(!known.to_string().contains("whsec_"), "secrets are shown to nobody");
    stripe.customer().await;
    stripe.post("/v1/products", &[("name", "Pro")]).await;
    assert_eq!(stripe.kinds().await, ["customer.created", "product.created"]);
    let events = other.take();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["type"], &events[0]["api_version"]),
        (&json!("product.created"), &json!("2027-01-01.later"))
    );
    assert_eq!(other.signatures()[0].matches("v1=").count(), 2);
    for url in ["https://127.0.0.1/x", "http://example.com/x", "http://10.0.0.1/x"] {
        let body = json!({ "url": url, "secrets": [SECRET] }).to_string();
        assert_eq!(answer(stripe.request("POST", "/_pretend/endpoints").body(body)).await.0, 400, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_can_be_made_by_hand() {
    let stripe = Pretend::start().await;
    let customer = stripe.customer().await;
    stripe.kinds().await;
    let made = json!({ "type": "customer.updated", "object": customer, "livemode": true, "created": 1 });
    stripe.control("events", made).await;
    stripe.control("events", json!({ "type": "unheard.of", "object": { "id": "x_1" }, "id": "evt_mine" })).await;
    let events: Vec<Value> = stripe.events().await;
    assert_eq!((&events[0]["livemode"], &events[0]["created"]), (&json!(true), &json!(1)));
    assert_eq!(events[0]["data"]["object"]["email"], "ann@example.com");
    assert_eq!((&events[1]["id"], &events[1]["type"]), (&json!("evt_mine"), &json!("unheard.of")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_forgets_everything_but_where_events_go() {
    let stripe = Pretend::with_prices().await;
    stripe.control("clock", json!({ "advance_s": 1_000 })).await;
    stripe.control("reset", json!({})).await;
    assert_eq!(stripe.get("/v1/prices").await["data"], json!([]));
    assert_eq!(stripe.get("/_pretend/clock").await["ahead_s"], 0);
    stripe.customer().await;
    assert_eq!(stripe.kinds().await, ["customer.created"]);
}
