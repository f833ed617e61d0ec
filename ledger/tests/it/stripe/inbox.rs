//! Deliveries: recorded once, claimed by one worker at a time, parked, resolved, replayed.

use std::time::Duration;

use ledger::stripe::{BODY_BYTES_MAX, Delivery, DeliveryFilter, DeliveryState, Effect, Parking, Received};
use metering::Status;

use super::shop::{Shop, at};
use crate::actors::{NOON, Operator, by};

const LEASE: Duration = Duration::from_secs(30);

fn delivery(event: &str) -> Delivery {
    Delivery {
        event: event.to_owned(),
        kind: "invoice.paid".to_owned(),
        api_version: Some("2031-01-01".to_owned()),
        live: true,
        created: NOON,
        body: b"{\"id\":1}".to_vec(),
    }
}

#[tokio::test]
async fn an_event_is_recorded_once_with_its_bytes_whatever_is_sent_again() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    assert_eq!(ledger.record_delivery(&delivery("evt_1"), NOON).await.unwrap(), Received::New);
    let other = Delivery { body: b"another".to_vec(), ..delivery("evt_1") };
    assert_eq!(ledger.record_delivery(&other, at(5)).await.unwrap(), Received::Known);
    let found = ledger.delivery("evt_1").await.unwrap().unwrap();
    assert_eq!((found.delivery, found.received_at), (delivery("evt_1"), NOON));
    assert_eq!(ledger.delivery("evt_2").await.unwrap(), None);
}

#[tokio::test]
async fn a_delivery_that_is_too_big_or_has_no_good_name_is_refused() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    let big = Delivery { body: vec![b' '; BODY_BYTES_MAX + 1], ..delivery("evt_1") };
    let nameless = delivery("");
    let null = Delivery { kind: "a\0b".to_owned(), ..delivery("evt_1") };
    for bad in [big, nameless, null] {
        assert_eq!(ledger.record_delivery(&bad, NOON).await.unwrap_err().code(), "invalid");
    }
    let fits = Delivery { body: vec![b' '; BODY_BYTES_MAX], ..delivery("evt_1") };
    assert_eq!(ledger.record_delivery(&fits, NOON).await.unwrap(), Received::New);
}

#[tokio::test]
async fn two_workers_take_each_delivery_once_and_those_of_a_dead_one_come_back_after_its_lease() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    for number in 0..40 {
        ledger.record_delivery(&delivery(&format!("evt_{number:02}")), at(number)).await.unwrap();
    }
    let (one, two) =
        tokio::join!(ledger.claim_deliveries(20, LEASE, at(60)), ledger.claim_deliveries(20, LEASE, at(60)));
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut events: Vec<String> = one.iter().chain(&two).map(|claimed| claimed.delivery.event.clone()).collect();
    assert!(one.is_sorted_by_key(|claimed| claimed.received_at), "oldest first");
    events.sort();
    events.dedup();
    assert_eq!(events.len(), 20 + two.len(), "each once");
    let rest = ledger.claim_deliveries(100, LEASE, at(60)).await.unwrap();
    assert_eq!(events.len() + rest.len(), 40);
    assert!(ledger.claim_deliveries(100, LEASE, at(89)).await.unwrap().is_empty(), "all are leased");

    // Nobody has finished any: the workers are dead.
    let again = ledger.claim_deliveries(100, LEASE, at(90)).await.unwrap();
    assert_eq!(again.len(), 40);
    assert!(again.iter().all(|claimed| claimed.attempts == 2 && claimed.state == DeliveryState::Waiting));
}

#[tokio::test]
async fn what_is_put_off_is_not_claimed_before_its_time_and_says_why() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    ledger.record_delivery(&delivery("evt_1"), NOON).await.unwrap();
    ledger.postpone_delivery("evt_1", at(60), "Stripe is away").await.unwrap();
    assert!(ledger.claim_deliveries(10, LEASE, at(59)).await.unwrap().is_empty());
    let claimed = ledger.claim_deliveries(10, LEASE, at(60)).await.unwrap();
    assert_eq!(claimed[0].postponed.as_deref(), Some("Stripe is away"));
    let unknown = ledger.postpone_delivery("evt_2", at(60), "").await.unwrap_err();
    assert_eq!(unknown.code(), "delivery_not_found");
}

#[tokio::test]
async fn what_is_ignored_or_parked_does_not_wait_and_stays_so() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    for event in ["evt_1", "evt_2"] {
        ledger.record_delivery(&delivery(event), NOON).await.unwrap();
    }
    ledger.ignore_delivery("evt_1", at(1)).await.unwrap();
    let why = Parking::new("wrong_mode", "of live mode \0, and this is test mode");
    ledger.park_delivery("evt_2", &why, at(2)).await.unwrap();
    ledger.park_delivery("evt_1", &why, at(3)).await.unwrap();
    ledger.ignore_delivery("evt_2", at(3)).await.unwrap();
    let states: Vec<_> = ["evt_1", "evt_2"].map(|event| ledger.delivery(event)).into_iter().collect();
    let states = futures::future::join_all(states).await.into_iter().map(|found| found.unwrap().unwrap().state);
    assert_eq!(states.collect::<Vec<_>>(), [DeliveryState::Ignored, DeliveryState::Parked]);
    assert!(ledger.claim_deliveries(10, LEASE, at(60)).await.unwrap().is_empty());
    assert_eq!(ledger.delivery_backlog().await.unwrap(), (0, 1));
}

#[tokio::test]
async fn an_operator_resolves_what_is_parked_and_nothing_else_and_both_are_audited() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    ledger.record_delivery(&delivery("evt_1"), NOON).await.unwrap();
    assert_eq!(ledger.resolve_delivery("evt_1", &by(at(1))).await.unwrap_err().code(), "delivery_not_parked");
    assert_eq!(ledger.resolve_delivery("evt_9", &by(at(1))).await.unwrap_err().code(), "delivery_not_found");
    ledger.park_delivery("evt_1", &Parking::new("price_unknown", "price_9"), at(2)).await.unwrap();
    ledger.resolve_delivery("evt_1", &by(at(3))).await.unwrap();
    let found = ledger.delivery("evt_1").await.unwrap().unwrap();
    assert_eq!(found.state, DeliveryState::Resolved);
    assert_eq!(found.parked.unwrap().code, "price_unknown", "why it was parked is kept");
    ledger.replay_delivery("evt_1", &by(at(4))).await.unwrap();
    let found = ledger.delivery("evt_1").await.unwrap().unwrap();
    assert_eq!((found.state, found.parked, found.applied_at), (DeliveryState::Waiting, None, None));
    assert_eq!(ledger.claim_deliveries(10, LEASE, at(4)).await.unwrap().len(), 1);
    let audited = "SELECT count(*) FROM audit WHERE subject = 'evt_1' AND actor = 'olga' \
                   AND action IN ('delivery_resolved', 'delivery_replayed')";
    assert_eq!(operator.db.number(audited).await, 2);
}

#[tokio::test]
async fn lists_go_page_by_page_and_by_state_type_and_account() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let ledger = &operator.db.ledger;
    shop.takes("evt_1", &[Effect::Paid(shop.invoice("in_1", at(1)))]).await;
    for number in 0..7 {
        ledger.record_delivery(&delivery(&format!("evt_x{number}")), at(200 + number / 2)).await.unwrap();
    }
    let mut filter = DeliveryFilter { limit: 3, ..DeliveryFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = ledger.deliveries(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.cursor());
        assert!(page.iter().all(|found| found.delivery.body.is_empty()));
        seen.extend(page.into_iter().map(|found| found.delivery.event));
    }
    assert_eq!(seen, ["evt_x6", "evt_x5", "evt_x4", "evt_x3", "evt_x2", "evt_x1", "evt_x0", "evt_1_ada"]);
    let only = |filter: DeliveryFilter| async move {
        let filter = DeliveryFilter { limit: 100, ..filter };
        ledger.deliveries(&filter).await.unwrap().len()
    };
    assert_eq!(only(DeliveryFilter { account: Some(shop.account), ..DeliveryFilter::default() }).await, 1);
    assert_eq!(only(DeliveryFilter { state: Some(DeliveryState::Waiting), ..DeliveryFilter::default() }).await, 7);
    assert_eq!(only(DeliveryFilter { kind: Some("test".to_owned()), ..DeliveryFilter::default() }).await, 1);
}
