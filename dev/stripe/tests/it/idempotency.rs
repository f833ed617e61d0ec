//! The same key asks for the same thing.

use serde_json::{Value, json};

use crate::pretend::{Form, Pretend, answer, id};

const ANN: Form<'static> = &[("email", "ann@example.com")];
const BOB: Form<'static> = &[("email", "bob@example.com")];

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_is_answered_again_and_done_once() {
    let stripe = Pretend::start().await;
    let ask = |form| stripe.posting("/v1/customers", form).header("idempotency-key", "key-1");
    let first = ask(ANN).send().await.unwrap();
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first: Value = first.json().await.unwrap();
    let again = ask(ANN).send().await.unwrap();
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(first, again.json::<Value>().await.unwrap());
    let events = stripe.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["request"]["idempotency_key"], "key-1");
    let (status, refused) = answer(ask(BOB)).await;
    assert_eq!((status, &refused["error"]["type"]), (400, &json!("idempotency_error")));
    let seen = stripe.get("/_pretend/requests").await;
    assert_eq!(seen["requests"][0]["idempotency_key"], "key-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_before_it_was_done_may_be_mended_under_its_key() {
    let stripe = Pretend::start().await;
    let ask = |form: Form<'_>| stripe.posting("/v1/products", form).header("idempotency-key", "key-2");
    assert_eq!(answer(ask(&[])).await.0, 400);
    assert_eq!(answer(ask(&[("name", "Pro")])).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_is_remembered_under_its_key() {
    let stripe = Pretend::with_prices().await;
    let subscription = id(&stripe.subscriber("price_pro").await);
    let renewed = stripe.control(&format!("subscriptions/{subscription}/renew"), json!({ "card": "failing" })).await;
    stripe.kinds().await;
    let pay = || {
        stripe.posting(&format!("/v1/invoices/{}/pay", id(&renewed["invoice"])), &[]).header("idempotency-key", "pay-1")
    };
    let (status, refused) = answer(pay()).await;
    assert_eq!((status, &refused["error"]["code"]), (402, &json!("card_declined")));
    assert!(!stripe.kinds().await.is_empty());
    assert_eq!(answer(pay()).await.0, 402);
    assert_eq!(stripe.kinds().await, [""; 0], "the card was not tried again");
}
