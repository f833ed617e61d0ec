//! What webhooks share: whose turn it is to reconcile, and how much waits.

use ledger::stripe::{Delivery, Parking};
use ledger::testing::database;
use ledger::{Ledger, PoolSettings};
use metering::TimeMs;

#[tokio::test]
async fn of_two_who_want_to_reconcile_one_does_and_then_the_other() {
    let book = database().await;
    let other = Ledger::open(&book.url, PoolSettings::default()).unwrap();
    let turn = book.ledger.reconcile_turn().await.unwrap().expect("nobody else is at it");
    assert!(other.reconcile_turn().await.unwrap().is_none(), "one at a time");
    drop(turn);
    let mut tries = 0;
    while other.reconcile_turn().await.unwrap().is_none() {
        tries += 1;
        assert!(tries < 1_000, "the turn was never given back");
    }
}

#[tokio::test]
async fn the_backlog_says_what_waits_for_how_long_and_what_is_parked() {
    let book = database().await;
    let ledger = &book.ledger;
    assert_eq!(
        (ledger.delivery_backlog().await.unwrap(), ledger.delivery_waiting_age_ms().await.unwrap()),
        ((0, 0), 0)
    );
    let now = ledger.book_now().await.unwrap();
    for (event, age_ms) in [("evt_1", 60_000), ("evt_2", 5_000), ("evt_3", 0), ("evt_4", 0)] {
        let delivery = Delivery {
            event: event.to_owned(),
            kind: "invoice.paid".to_owned(),
            api_version: None,
            live: false,
            created: TimeMs::new(0),
            body: b"{}".to_vec(),
        };
        ledger.record_delivery(&delivery, now.minus_ms(age_ms)).await.unwrap();
    }
    ledger.park_delivery("evt_3", &Parking::new("price_unknown", "no such price"), now).await.unwrap();
    ledger.ignore_delivery("evt_4", now).await.unwrap();
    assert_eq!(ledger.delivery_backlog().await.unwrap(), (2, 1));
    let age_ms = ledger.delivery_waiting_age_ms().await.unwrap();
    assert!((60_000..120_000).contains(&age_ms), "{age_ms}");
}
