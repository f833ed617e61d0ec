//! A customer's day: what each request costs, and what its answer says about it.

use std::time::{Duration, Instant};

use futures::StreamExt;
use metering::Status;
use serde_json::json;

use crate::stack::{Call, Stack};

const DAY_MS: u64 = 86_400_000;

#[tokio::test]
async fn a_chat_message_draws_one_credit_and_says_so() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    let answer = stack.send(&ada.key, Call::chat()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text().contains("You said: hello"), "{answer:?}");
    assert_eq!(answer.number("credits-cost"), Some(1));
    assert_eq!(answer.number("credits-remaining"), Some(29));
    assert_eq!(answer.header("credits-receipt"), Some(answer.op()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("budget-remaining"), None, "no budget is set");
    assert_eq!(stack.remaining(&ada).await, 29);
    let totals = stack.audit().await;
    assert_eq!((totals.debits, totals.give_backs), (1, 0));
}

#[tokio::test]
async fn a_stream_arrives_chunk_by_chunk_and_is_one_debit() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    let call = Call::stream().header("pretend-stream", "chunks=4, gap=400");
    let asked = Instant::now();
    let response = call.request(&stack.http, &stack.urls(), Some(&ada.key)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["credits-cost"], "1");
    assert_eq!(response.headers()["credits-remaining"], "29");
    let (mut chunks, mut arrived, mut text) = (response.bytes_stream(), Vec::new(), String::new());
    while let Some(chunk) = chunks.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        arrived.push(asked.elapsed());
    }
    assert!(text.ends_with("event: done\ndata: [DONE]\n\n"), "{text}");
    assert_eq!(text.matches("data: {").count(), 4, "{text}");
    // Four chunks 400 ms apart: the upstream ends 1.2 s after its first one.
    let early = arrived[arrived.len() - 1].checked_sub(arrived[0]).unwrap();
    assert!(early >= Duration::from_secs(1), "the first chunk waited for the end of the stream: {arrived:?}");
    assert!(arrived.len() >= 4, "chunks were put together: {arrived:?}");
    let totals = stack.audit().await;
    assert_eq!((totals.debits, totals.give_backs), (1, 0), "chunks of one reply draw nothing");
    assert_eq!(stack.remaining(&ada).await, 29);
}

#[tokio::test]
async fn what_is_free_draws_nothing_and_is_open_to_blocked_accounts() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    let free = ["/v1/artifacts/7", "/v1/usage", "/v1/credits"];
    for path in free {
        let answer = stack.send(&ada.key, Call::get(path)).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!((answer.header("credits-cost"), answer.header("credits-receipt")), (None, None), "{path}");
    }
    let blocked = stack.customer_with(Status::PaymentFailed, 30).await;
    stack.wait_carried().await;
    for path in free {
        assert_eq!(stack.send(&blocked.key, Call::get(path)).await.status, 200, "{path}");
    }
    assert_eq!(stack.remaining(&ada).await, 30);
    assert_eq!(stack.audit().await.debits, 0);
}

#[tokio::test]
async fn a_batch_costs_what_its_header_says() {
    let stack = Stack::start().await;
    let ada = stack.customer(1000).await;
    let mut left = 1000;
    for size in [1, 2, 99, 100] {
        let answer = stack.send(&ada.key, Call::batch(size)).await;
        left -= size;
        assert_eq!((answer.status, answer.number("credits-cost")), (200, Some(size)), "{answer:?}");
        assert_eq!(answer.number("credits-remaining"), Some(left));
        assert_eq!(answer.json()["accepted"], size.to_string());
    }
    let served = stack.upstream.count().await;
    let mut wrong: Vec<Call> =
        ["0", "101", "-1", "+5", "05", "1.5", "1e2", "0x5", "ten", "", "5,5", "5 5", "99999999999999999999"]
            .map(Call::batch)
            .to_vec();
    wrong.push(Call::post("/v1/batch", "{}"));
    wrong.push(Call::batch(5).header("batch-size", 5));
    wrong.push(Call::batch(5).header("batch-size", 100));
    for call in wrong {
        let answer = stack.send(&ada.key, call.clone()).await;
        assert_eq!(answer.problem(), "400 bad_request", "{call:?}");
    }
    assert_eq!(stack.upstream.count().await, served, "nothing wrong went on to the upstream");
    assert_eq!(stack.remaining(&ada).await, left);
    assert_eq!(stack.audit().await.debits, 4);
}

#[tokio::test]
async fn lots_are_drawn_earliest_expiry_first() {
    let stack = Stack::start().await;
    let ada = stack.customer_with(Status::Active, 0).await;
    let late = stack.grant(ada.account, 3, 30 * DAY_MS).await;
    let soon = stack.grant(ada.account, 2, DAY_MS).await;
    let later = stack.grant(ada.account, 4, 10 * DAY_MS).await;
    stack.wait_carried().await;
    assert_eq!(stack.send(&ada.key, Call::get("/v1/credits")).await.json()["next_expiry"]["credits"], 2);
    for call in [Call::chat(), Call::batch(3), Call::chat(), Call::batch(4)] {
        assert_eq!(stack.send(&ada.key, call).await.status, 200);
    }
    stack.audit().await;
    let entries = stack.book.ledger.entries(ada.account, None, 100).await.unwrap();
    let mut drawn = entries
        .iter()
        .filter(|entry| entry.op.is_some())
        .rev()
        .map(|entry| entry.split.iter().map(|draw| (draw.lot, draw.credits.get())).collect::<Vec<_>>());
    assert_eq!(drawn.next().unwrap(), [(soon, 1)]);
    assert_eq!(drawn.next().unwrap(), [(soon, 1), (later, 2)]);
    assert_eq!(drawn.next().unwrap(), [(later, 1)]);
    assert_eq!(drawn.next().unwrap(), [(later, 1), (late, 3)]);
    assert_eq!(drawn.next(), None);
}

#[tokio::test]
async fn the_book_follows_within_a_second() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    for _ in 0..3 {
        assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    }
    let answered = Instant::now();
    while stack.book.number("SELECT sum(remaining)::bigint FROM lots").await != 27 {
        assert!(answered.elapsed() < Duration::from_secs(1), "the book is behind");
    }
    stack.audit().await;
}

#[tokio::test]
async fn the_upstream_learns_who_calls_from_us_and_from_nobody_else() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    let call = Call::chat()
        .header("tollgate-account", "acct_00000000000000000000000000000000")
        .header("tollgate_account", "acct_00000000000000000000000000000000")
        .header("tollgate-price", "0")
        .header("x-forwarded-for", "10.1.2.3")
        .header("request-id", "mine");
    let answer = stack.send(&ada.key, call).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = stack.upstream.last().await.pop().unwrap();
    assert_eq!(seen.target, "/v1/messages");
    assert_eq!(seen.all("tollgate-account"), [ada.account.to_string()]);
    assert_eq!(seen.all("tollgate-key-id"), [ada.key_id.to_string()]);
    assert_eq!(seen.all("request-id"), [answer.op()]);
    assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
    for stripped in ["authorization", "x-api-key", "tollgate_account", "tollgate-price"] {
        assert!(seen.all(stripped).is_empty(), "{stripped}");
    }
    stack.audit().await;
}

#[tokio::test]
async fn what_the_gateway_says_of_credits_is_what_live_state_has() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    stack.set_budget(ada.account, 12).await;
    stack.wait_carried().await;
    let answer = stack.send(&ada.key, Call::batch(5)).await;
    assert_eq!((answer.number("budget-remaining"), answer.number("credits-remaining")), (Some(7), Some(25)));
    let resets_at = answer.header("budget-reset").unwrap().to_owned();
    let credits = stack.send(&ada.key, Call::get("/v1/credits")).await.json();
    assert_eq!((&credits["status"], &credits["remaining"]), (&json!("active"), &json!(25)));
    assert_eq!(credits["used_this_period"], 5);
    assert_eq!(credits["budget"], json!({ "limit": 12, "used": 5, "remaining": 7, "resets_at": resets_at }));
    assert_eq!(credits["next_expiry"]["credits"], 25);
    assert!(resets_at.ends_with("-01T00:00:00Z"), "a calendar month, in UTC: {resets_at}");
    stack.audit().await;
}
