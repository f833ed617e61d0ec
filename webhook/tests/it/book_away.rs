//! Postgres is away: Stripe is told to come again, and nothing is answered 200 that is not kept.

use ledger::stripe::DeliveryState;
use ledger::testing::{Wire, database};

use crate::process::{Webhook, settled, wait_until};
use crate::signed::plain;

#[tokio::test]
async fn while_postgres_is_down_stripe_is_told_to_come_again_and_afterwards_all_is_kept() {
    let book = database().await;
    let wire = Wire::to(&book.url).await;
    let webhook = Webhook::start_on(&wire.url, "");
    webhook.wait_ready().await;
    assert_eq!(webhook.deliver(&plain("evt_1")).await.status, 200);
    settled(&book, "evt_1").await;

    wire.cut();
    let answer = webhook.deliver(&plain("evt_2")).await;
    assert_eq!((answer.problem().as_str(), answer.retry_after.as_deref()), ("503 book_unavailable", Some("5")));
    wait_until("it is not ready", async || webhook.admin("/readyz").await.is_some_and(|answer| answer.0 == 503)).await;
    assert_eq!(webhook.readiness().await["says"], "the book does not answer");
    assert_eq!(webhook.admin("/healthz").await.unwrap().0, 200, "it lives all the same");

    wire.mend();
    webhook.wait_ready().await;
    assert_eq!(webhook.deliver(&plain("evt_2")).await.status, 200, "Stripe comes again");
    assert_eq!(settled(&book, "evt_2").await.state, DeliveryState::Ignored);
    assert_eq!(book.number("SELECT count(*) FROM stripe_deliveries").await, 2);
}

#[tokio::test]
async fn a_webhook_that_starts_before_postgres_answers_503_until_it_is_there() {
    let book = database().await;
    let wire = Wire::to(&book.url).await;
    wire.cut();
    let webhook = Webhook::start_on(&wire.url, "");
    wait_until("somebody listens", async || webhook.admin("/healthz").await.is_some()).await;
    assert_eq!(webhook.deliver(&plain("evt_1")).await.problem(), "503 book_unavailable");
    assert_eq!(webhook.readiness().await["says"], "the book is not there");
    wire.mend();
    webhook.wait_ready().await;
    assert_eq!(webhook.deliver(&plain("evt_1")).await.status, 200);
    settled(&book, "evt_1").await;
}
