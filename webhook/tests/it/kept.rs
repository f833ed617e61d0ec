//! What is taken: kept once before it is answered, and then applied, ignored or parked with its reason.

use std::time::Instant;

use ledger::stripe::{Delivery, DeliveryState, StoredDelivery};
use ledger::testing::database;
use metering::TimeMs;
use serde_json::{Value, json};

use crate::process::{SECRET, Webhook, settled, wait_until};
use crate::signed::{event, now_s, plain, sign_now, stray_refund, stray_subscription};

fn code(stored: &StoredDelivery) -> String {
    stored.parked.as_ref().map(|parked| parked.code.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_delivery_is_answered_exactly_200_once_it_is_in_the_book_and_its_repeats_change_nothing() {
    let (webhook, book) = Webhook::start().await;
    let body = plain("evt_1");
    let answer = webhook.deliver(&body).await;
    assert_eq!((answer.status, &answer.json), (200, &json!({ "received": true })));
    assert_eq!(book.number("SELECT count(*) FROM stripe_deliveries").await, 1, "before it was answered");
    assert_eq!(settled(&book, "evt_1").await.state, DeliveryState::Ignored);
    let before = book.ledger.delivery("evt_1").await.unwrap().unwrap();
    assert_eq!(before.delivery.body, body.to_string().into_bytes(), "byte for byte");
    for _ in 0..3 {
        assert_eq!(webhook.deliver(&body).await.status, 200);
    }
    let mut other = body.clone();
    other["type"] = "invoice.paid".into();
    assert_eq!(webhook.deliver(&other).await.status, 200, "the first word under an id stands");
    let after = book.ledger.delivery("evt_1").await.unwrap().unwrap();
    assert_eq!((after.delivery.kind, after.state), (before.delivery.kind, before.state));
    let known = "tollgate_webhook_deliveries_total{result=\"known\",type=\"payout.created\"}";
    assert_eq!(webhook.metric(known).await, 3);
    assert_eq!(
        webhook.metric("tollgate_webhook_deliveries_total{result=\"ignored\",type=\"payout.created\"}").await,
        1
    );
}

#[tokio::test]
async fn the_same_event_by_twenty_at_once_is_kept_once() {
    let (webhook, book) = Webhook::start().await;
    let signed = sign_now(SECRET, plain("evt_1").to_string().as_bytes());
    let mut answers = tokio::task::JoinSet::new();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..20 {
        let request = http.post(webhook.url()).body(signed.body.clone()).header("stripe-signature", &signed.headers[0]);
        answers.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    assert_eq!(answers.join_all().await, [200; 20]);
    assert_eq!(book.number("SELECT count(*) FROM stripe_deliveries").await, 1);
}

#[tokio::test]
async fn what_does_not_fit_is_200_and_parked_with_its_reason_and_grants_nothing() {
    let (webhook, book) = Webhook::start().await;
    let mut live = plain("evt_live");
    live["livemode"] = true.into();
    for (body, reason) in [
        (live, "wrong_mode"),
        (stray_refund("evt_refund"), "payment_unknown"),
        (stray_subscription("evt_subscription"), "account_unknown"),
    ] {
        assert_eq!(webhook.deliver(&body).await.status, 200, "{reason}");
        let stored = settled(&book, body["id"].as_str().unwrap()).await;
        assert_eq!((stored.state, code(&stored)), (DeliveryState::Parked, reason.to_owned()));
        assert_eq!(webhook.metric(&format!("tollgate_webhook_parked_total{{reason=\"{reason}\"}}")).await, 1);
    }
    wait_until("the gauge counts them", async || webhook.metric("tollgate_webhook_parked").await == 3).await;
    assert_eq!(book.number("SELECT count(*) FROM lots").await, 0);
}

#[tokio::test]
async fn versions_fields_and_words_of_tomorrow_are_taken() {
    let (webhook, book) = Webhook::start().await;
    let mut body = stray_subscription("evt_1");
    body["api_version"] = "2031-01-01.zinnia".into();
    body["never"] = json!({ "seen": ["before"] });
    body["data"]["object"]["status"] = "hibernating".into();
    assert_eq!(webhook.deliver(&body).await.status, 200);
    assert_ne!(settled(&book, "evt_1").await.state, DeliveryState::Waiting);
    body["id"] = "evt_2".into();
    body["api_version"] = Value::Null;
    assert_eq!(webhook.deliver(&body).await.status, 200);
    settled(&book, "evt_2").await;
}

#[tokio::test]
async fn either_of_two_secrets_opens_while_one_is_replaced() {
    let book = database().await;
    let old = "whsec_ffffffffffffffffffffffffffffffff";
    let webhook = Webhook::start_on(&book.url, &format!("stripe.webhook_secrets = [\"{old}\", \"{SECRET}\"]"));
    webhook.wait_ready().await;
    assert_eq!(webhook.readiness().await["secrets"], 2);
    for (id, secret) in [("evt_1", old), ("evt_2", SECRET)] {
        assert_eq!(webhook.post(&sign_now(secret, plain(id).to_string().as_bytes())).await.status, 200);
    }
}

#[tokio::test]
async fn what_another_webhook_recorded_before_it_died_is_taken_up() {
    let (webhook, book) = Webhook::start().await;
    let body = event("evt_left", "payout.created", &json!({ "id": "po_1", "object": "payout" })).to_string();
    let left = Delivery {
        event: "evt_left".to_owned(),
        kind: "payout.created".to_owned(),
        api_version: None,
        live: false,
        created: TimeMs::new(now_s() * 1000),
        body: body.into_bytes(),
    };
    book.ledger.record_delivery(&left, TimeMs::new(now_s() * 1000)).await.unwrap();
    assert_eq!(settled(&book, "evt_left").await.state, DeliveryState::Ignored);
    wait_until("the gauge is read anew", async || webhook.metric("tollgate_webhook_waiting").await == 0).await;
}

#[tokio::test]
async fn ninety_nine_of_a_hundred_are_answered_within_a_tenth_of_a_second() {
    let (webhook, book) = Webhook::start().await;
    let mut took = Vec::new();
    for number in 0..200 {
        let body = plain(&format!("evt_{number}"));
        let began = Instant::now();
        assert_eq!(webhook.deliver(&body).await.status, 200);
        took.push(began.elapsed());
    }
    took.sort_unstable();
    eprintln!("median {:?}, 99 of 100 within {:?}", took[100], took[198]);
    assert!(took[198].as_millis() < 100, "{:?}", &took[190..]);
    wait_until("all are settled", async || {
        book.number("SELECT count(*) FROM stripe_deliveries WHERE state = 'waiting'").await == 0
    })
    .await;
}
