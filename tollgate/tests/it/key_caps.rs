//! Caps of keys: exact however many call at once, and set while callers go on.

use metering::{KeyCaps, KeyPolicy};
use serde_json::json;

use crate::stack::{Call, Customer, Stack, by, credits};

async fn cap(stack: &Stack, customer: &Customer, month: u64) {
    let policy = KeyPolicy::default().with_caps(KeyCaps { day: None, month: Some(credits(month)) }).unwrap();
    stack.book.ledger.set_key_policy(customer.key_id, &policy, &by(stack.now().await)).await.unwrap();
}

#[tokio::test]
async fn ten_thousand_calls_on_a_cap_of_a_thousand_are_a_thousand_served() {
    let stack = Stack::start().await;
    let ada = stack.customer(100_000).await;
    cap(&stack, &ada, 1_000).await;
    stack.wait_carried().await;
    let tally = stack.race(&ada.key, &Call::chat(), 10_000, 200).await;
    tally.assert_only(&["200", "402 key_cap_exhausted"]);
    assert_eq!((tally.served(), tally.count("402 key_cap_exhausted")), (1_000, 9_000));
    assert_eq!(stack.upstream.count().await, 1_000);
    let refused = stack.send(&ada.key, Call::chat()).await;
    let problem = refused.json();
    assert_eq!(refused.problem(), "402 key_cap_exhausted");
    assert_eq!((&problem["cap"], &problem["cap_limit"]), (&json!("month"), &json!(1_000)));
    assert_eq!((&problem["cap_remaining"], &problem["price"]), (&json!(0), &json!(1)));
    assert_eq!(problem["fix_url"], "https://billing.example");
    assert!(problem["resets_at"].is_string(), "{problem}");
    assert_eq!(stack.audit_calls(&tally).await.standing(), 1_000);
    // Another key of the account goes on.
    let (other, _) = stack.issue_key(ada.account).await;
    stack.wait_carried().await;
    assert_eq!(stack.send(&other, Call::chat()).await.status, 200);
    stack.audit().await;
}

#[tokio::test]
async fn a_cap_set_while_callers_go_on_turns_nobody_away() {
    let stack = Stack::start().await;
    let ada = stack.customer(1_000_000).await;
    let load = stack.load(&ada, 8);
    load.wait_served(20).await;
    for round in 0..10 {
        cap(&stack, &ada, 500_000 + round).await;
        load.wait_served(20).await;
    }
    stack.wait_carried().await;
    let tally = load.stop().await;
    tally.assert_only(&["200"]);
    stack.audit_calls(&tally).await;
}
