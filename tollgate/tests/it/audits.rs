//! The audit itself: it finds a credit that is missing, wherever it is missing.

use crate::stack::{Call, Customer, Stack, Tally};

/// A customer who has called three times, and an audit that is content.
async fn scene() -> (Stack, Customer, Tally) {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    let tally = stack.race(&ada.key, &Call::chat(), 3, 1).await;
    stack.audit_calls(&tally).await;
    (stack, ada, tally)
}

#[tokio::test]
async fn a_credit_missing_in_the_book_is_found_twice() {
    let (stack, ada, _) = scene().await;
    stack.book.execute("UPDATE lots SET remaining = remaining - 1").await.unwrap();
    let found = stack.differences().await.join("\n");
    assert!(found.contains("has 26 credits, its entries make 27"), "{found}");
    assert!(found.contains("in live state") && found.contains("tollgate verify"), "{found}");
    stack.book.execute("UPDATE lots SET remaining = remaining + 1").await.unwrap();
    assert_eq!(stack.remaining(&ada).await, 27);
    stack.audit().await;
}

#[tokio::test]
async fn a_credit_missing_in_live_state_is_found() {
    let (stack, ada, _) = scene().await;
    let count = metering::ShardCount::new(4).unwrap();
    let account = format!("tg:{{{}}}:1:a:{}", ada.account.shard(count), ada.account.hex());
    let spoilt = metering::testing::spoil_head(&account, Some(26));
    stack.redis.command(&spoilt.each_ref().map(String::as_str));
    assert_eq!(stack.remaining(&ada).await, 26, "the account's hash was found and changed");
    let found = stack.differences().await.join("\n");
    assert!(found.contains("in live state") && found.contains("tollgate verify"), "{found}");
}

#[tokio::test]
async fn a_served_call_without_a_debit_and_a_debit_without_a_served_call_are_found() {
    let (stack, ada, mut tally) = scene().await;
    let real = tally.replies[0].op.replace("01a207da-9ea2-723b-819e-39d3c2378e21".to_owned());
    assert_eq!(stack.served_without_debit(&tally).await.len(), 1);
    tally.replies[0].op = real;
    tally.replies[0].what = "402 credits_exhausted".to_owned();
    assert_eq!(stack.refused_with_debit(&tally).await.len(), 1);
    assert_eq!(stack.remaining(&ada).await, 27);
}
