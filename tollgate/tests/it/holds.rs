//! Holds: settled to what the upstream reports, and released where nobody is left to settle them.

use std::time::{Duration, Instant};

use crate::stack::{Call, Plan, Stack, wait_until};

/// Of the route `held`, and what it charges by.
const HOLD_MAX: Duration = Duration::from_secs(3);
const BYTES_PER_CREDIT: u64 = 10;

async fn prompt_owners() -> Stack {
    Stack::with(Plan { sync_settings: "lease.duration_ms = 30000\nsweep.hold_grace_ms = 0", ..Plan::default() }).await
}

async fn open_holds(stack: &Stack) -> i64 {
    stack.book.number("SELECT count(*) FROM holds").await
}

#[tokio::test]
async fn many_holds_are_settled_and_the_book_agrees() {
    let stack = prompt_owners().await;
    let ada = stack.customer(10_000).await;
    let answer = stack.send(&ada.key, Call::chat().on("held")).await;
    assert_eq!((answer.status, answer.number("credits-hold"), answer.number("credits-cost")), (200, Some(50), None));
    let price = u64::try_from(answer.text().len()).unwrap().div_ceil(BYTES_PER_CREDIT);
    assert!((1..50).contains(&price), "{answer:?}");
    wait_until("it is settled", async || stack.remaining(&ada).await == 10_000 - price).await;
    let tally = stack.race(&ada.key, &Call::chat().on("held"), 200, 20).await;
    tally.assert_only(&["200"]);
    // Failures are given back whole.
    assert_eq!(stack.send(&ada.key, Call::chat().on("held").fault("status=500")).await.number("credits-cost"), Some(0));
    let totals = stack.audit().await;
    assert_eq!((totals.debits, totals.give_backs, open_holds(&stack).await), (202, 1, 0));
    assert_eq!(stack.book.number("SELECT count(*) FROM entries WHERE kind = 'settle'").await, 201);
}

#[tokio::test]
async fn a_hold_whose_gateway_was_killed_is_released_after_its_deadline() {
    let mut stack = prompt_owners().await;
    let ada = stack.customer(100).await;
    let (http, urls, key) = (stack.http.clone(), stack.urls(), ada.key.clone());
    let mut calls = tokio::task::JoinSet::new();
    let call = Call::chat().on("held").fault("delay=1400");
    calls.spawn(async move { call.request(&http, &urls, Some(&key)).send().await.is_ok() });
    let remaining = async || stack.meter.credits(ada.account).await.unwrap().remaining.get();
    wait_until("it holds", async || remaining().await == 50).await;
    let held = Instant::now();
    stack.gateways[0].program.kill();
    assert!(!calls.join_next().await.unwrap().unwrap(), "the caller was cut off");
    let remaining = async || stack.meter.credits(ada.account).await.unwrap().remaining.get();
    wait_until("it is released", async || remaining().await == 100).await;
    assert!(held.elapsed() + Duration::from_secs(1) > HOLD_MAX, "not before its time: {:?}", held.elapsed());
    assert_eq!(stack.audit().await.standing(), 0);
    assert_eq!(open_holds(&stack).await, 0);
}
