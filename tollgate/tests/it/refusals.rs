//! Who is turned away, and that it costs nothing: no credit, no call to the upstream.

use metering::Status;
use serde_json::json;

use crate::stack::{Answer, Call, Customer, Stack};

/// Every priced call of this customer is refused alike, and nothing moves.
async fn refused(stack: &Stack, customer: &Customer, problem: &str) -> Answer {
    let (before, sent) = (stack.remaining(customer).await, stack.upstream.count().await);
    for call in [Call::chat(), Call::stream(), Call::batch(2)] {
        let answer = stack.send(&customer.key, call).await;
        assert_eq!(answer.problem(), problem);
    }
    assert_eq!(stack.remaining(customer).await, before, "{problem}");
    assert_eq!(stack.upstream.count().await, sent, "{problem}");
    stack.send(&customer.key, Call::batch(2)).await
}

#[tokio::test]
async fn an_account_that_may_not_spend_is_refused_and_keeps_its_credits() {
    let stack = Stack::start().await;
    for (status, problem) in [
        (Status::PaymentFailed, "402 payment_failed"),
        (Status::Suspended, "403 account_suspended"),
        (Status::Pending, "403 account_pending"),
    ] {
        let customer = stack.customer_with(status, 5).await;
        stack.wait_carried().await;
        let answer = refused(&stack, &customer, problem).await;
        assert_eq!(answer.json()["account_status"], status.as_str());
        let fix = (answer.status == 402).then(|| json!("https://billing.example"));
        assert_eq!(answer.json().get("fix_url"), fix.as_ref(), "{answer:?}");
    }
    for status in [Status::Trial, Status::Active, Status::Approved] {
        let customer = stack.customer_with(status, 5).await;
        stack.wait_carried().await;
        assert_eq!(stack.send(&customer.key, Call::chat()).await.number("credits-remaining"), Some(4), "{status:?}");
    }
    assert_eq!(stack.audit().await.debits, 3);
}

#[tokio::test]
async fn an_exhausted_account_is_told_what_it_has_and_what_it_needs() {
    let stack = Stack::start().await;
    let ada = stack.customer(3).await;
    assert_eq!(stack.send(&ada.key, Call::batch(2)).await.number("credits-remaining"), Some(1));
    let answer = stack.send(&ada.key, Call::batch(2)).await;
    assert_eq!(answer.problem(), "402 credits_exhausted");
    assert_eq!((&answer.json()["remaining"], &answer.json()["price"]), (&json!(1), &json!(2)));
    assert_eq!(stack.send(&ada.key, Call::chat()).await.number("credits-remaining"), Some(0), "one is still there");
    let answer = refused(&stack, &ada, "402 credits_exhausted").await;
    assert_eq!(answer.json()["remaining"], 0);
    assert_eq!(answer.header("retry-after"), None, "waiting does not help");
    assert_eq!(stack.audit().await.debits, 2);
}

#[tokio::test]
async fn a_budget_ends_before_the_credits_do_and_says_when_it_begins_again() {
    let stack = Stack::start().await;
    let ada = stack.customer(100).await;
    stack.set_budget(ada.account, 10).await;
    stack.wait_carried().await;
    assert_eq!(stack.send(&ada.key, Call::batch(9)).await.number("budget-remaining"), Some(1));
    let answer = refused_batch(&stack, &ada).await;
    let told = answer.json();
    assert_eq!((&told["budget_limit"], &told["budget_used"]), (&json!(10), &json!(9)));
    assert_eq!((&told["budget_remaining"], &told["price"]), (&json!(1), &json!(2)));
    assert_eq!(told["resets_at"].as_str(), answer.header("budget-reset"));
    assert!(told["resets_at"].as_str().unwrap().ends_with("-01T00:00:00Z"), "{told}");
    assert_eq!(stack.send(&ada.key, Call::chat()).await.number("budget-remaining"), Some(0));
    refused(&stack, &ada, "402 budget_exhausted").await;

    stack.set_budget(ada.account, 0).await; // no cap
    stack.wait_carried().await;
    let answer = stack.send(&ada.key, Call::chat()).await;
    assert_eq!((answer.status, answer.header("budget-remaining")), (200, None));
    stack.set_budget(ada.account, 5).await; // below what is used already
    stack.wait_carried().await;
    let answer = refused_batch(&stack, &ada).await;
    assert_eq!((&answer.json()["budget_used"], &answer.json()["budget_remaining"]), (&json!(11), &json!(0)));
    stack.audit().await;
}

async fn refused_batch(stack: &Stack, customer: &Customer) -> Answer {
    let answer = stack.send(&customer.key, Call::batch(2)).await;
    assert_eq!(answer.problem(), "402 budget_exhausted");
    answer
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_with_the_reason() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let stranger = metering::ApiKey::generate(metering::KeyMode::Live, [3; 32]);
    let mut mistyped = ada.key.clone();
    let last = if mistyped.pop() == Some('a') { 'b' } else { 'a' };
    mistyped.push(last);
    for (key, reason) in [(stranger.reveal(), "unknown"), (&mistyped, "malformed"), ("hello", "malformed")] {
        for call in [Call::chat(), Call::get("/v1/usage"), Call::get("/v1/credits")] {
            let answer = stack.send(key, call).await;
            assert_eq!(answer.problem(), "401 invalid_api_key");
            assert_eq!(answer.json()["reason"], reason);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    }
    let answer = stack.send_bare(Call::chat()).await;
    assert_eq!((answer.problem().as_str(), &answer.json()["reason"]), ("401 invalid_api_key", &json!("missing")));
    let answer = stack.send_bare(Call::chat().header("x-api-key", &ada.key)).await;
    assert_eq!(answer.status, 200, "the other place for a key");
    let answer = stack.send(&ada.key, Call::chat().header("x-api-key", &ada.key)).await;
    assert_eq!(answer.problem(), "400 bad_request", "two credentials");
    assert_eq!(stack.audit().await.debits, 1);
}

#[tokio::test]
async fn a_revoked_key_is_refused_everywhere_and_its_sister_is_not() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let (sister, _) = stack.issue_key(ada.account).await;
    stack.wait_carried().await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    stack.revoke(ada.key_id).await;
    stack.wait_carried().await;
    for call in [Call::chat(), Call::batch(2), Call::get("/v1/usage"), Call::get("/v1/credits")] {
        let answer = stack.send(&ada.key, call).await;
        assert_eq!(answer.problem(), "401 invalid_api_key");
        assert_eq!(answer.json()["reason"], "revoked");
    }
    assert_eq!(stack.send(&sister, Call::chat()).await.number("credits-remaining"), Some(3), "one shared pool");
    assert_eq!(stack.audit().await.debits, 2);
}

#[tokio::test]
async fn what_no_route_knows_is_not_proxied_and_tricks_do_not_change_the_price() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let sent = stack.upstream.count().await;
    for path in [
        "/",
        "/v1",
        "/v1/message",
        "/v1/messages/",
        "/V1/messages",
        "/_seen",
        "/_fault",
        "/v1/artifacts/",
        "/v1/artifacts/a/b",
    ] {
        let answer = stack.send(&ada.key, Call::post(path, "{}")).await;
        assert_eq!(answer.problem(), "404 no_route", "{path}");
    }
    for (path, problem) in [
        ("/v1/artifacts/%2e%2e%2fmessages", "400 bad_request"),
        ("/v1/artifacts/..%2f..%2fv1%2fmessages", "400 bad_request"),
        ("/v1//messages", "400 bad_request"),
        ("/v1/messages;free=1", "400 bad_request"),
    ] {
        assert_eq!(stack.send(&ada.key, Call::post(path, "{}")).await.problem(), problem, "{path}");
    }
    assert_eq!(stack.send(&ada.key, Call::get("/v1/messages")).await.problem(), "404 no_route");
    assert_eq!(stack.upstream.count().await, sent);
    assert_eq!(stack.audit().await.debits, 0);
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_before_or_after_the_draw_and_never_paid() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let large = "x".repeat(101);
    let answer = stack.send(&ada.key, Call::post("/v1/messages", &large).on("small")).await;
    assert_eq!(answer.problem(), "413 body_too_large");
    assert_eq!(answer.json()["body_bytes_max"], 100);
    assert_eq!(stack.audit().await.debits, 0, "a declared length is looked at before the draw");

    let pieces = futures::stream::iter(vec![Ok::<_, std::io::Error>(large.clone()), Ok(large)]);
    let request = Call::post("/v1/messages", "").on("small").request(&stack.http, &stack.urls(), Some(&ada.key));
    let answer = Answer::read(request.body(reqwest::Body::wrap_stream(pieces)).send().await.unwrap()).await;
    assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("body_too_large")), "{answer:?}");
    assert_eq!(stack.audit().await.standing(), 0);
    assert_eq!(stack.remaining(&ada).await, 5);
}
