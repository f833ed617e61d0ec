//! An `Idempotency-Key` stands for its request though live state is built anew: the book knows it.

use crate::stack::{Answer, Call, Stack, wait_until};

#[tokio::test]
async fn a_key_that_was_used_stays_used_after_live_state_was_lost() {
    let stack = Stack::start().await;
    let ada = stack.customer(100).await;
    let send = async |key: &str, fault: &str| -> Answer {
        let call = Call::chat().header("idempotency-key", key);
        stack.send(&ada.key, if fault.is_empty() { call } else { call.fault(fault) }).await
    };
    let first = send("k", "").await;
    assert_eq!(first.status, 200);
    assert_eq!(send("failed", "status=500").await.status, 500);
    stack.audit().await;
    stack.redis.command(&["FLUSHALL"]);
    wait_until("live state is back", async || stack.meter.credits(ada.account).await.is_ok()).await;
    wait_until("priced requests are served", async || stack.send(&ada.key, Call::chat()).await.status == 200).await;
    // That the first was answered was not kept: it counts as in flight somewhat longer.
    let again = send("k", "").await;
    assert_eq!(again.problem(), "409 idempotency_key_in_use");
    assert_eq!(
        (again.header("credits-receipt"), again.json()["receipt"].as_str()),
        (Some(first.op()), Some(first.op()))
    );
    assert_eq!(send("failed", "").await.status, 200, "what was given back may be asked again");
    assert_eq!(send("failed", "").await.status, 409);
    let totals = stack.audit().await;
    assert_eq!((totals.give_backs, stack.upstream.times_sent(again.op()).await), (1, 0));
}
