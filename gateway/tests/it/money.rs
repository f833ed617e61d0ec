//! What a request draws, and what a caller is told when it can't.

use metering::{Change, LotId, Status};
use serde_json::json;

use crate::house::{House, bearer};

#[tokio::test(flavor = "multi_thread")]
async fn a_price_from_a_header_is_taken_within_its_bounds_and_never_clamped() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 1_000).await;
    let key = bearer(&account.key);
    for size in ["0", "101", "-1", "+5", "05", "5.0", "1e1", "", "5, 6", "99999999999999999999"] {
        let lines = [("Authorization", &*key), ("Batch-Size", size)];
        let answer = house.gateway.send("POST", "/v1/batch", &lines, "{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{size:?}");
    }
    let twice = [("Authorization", &*key), ("Batch-Size", "5"), ("Batch-Size", "5")];
    assert_eq!(house.gateway.send("POST", "/v1/batch", &twice, "{}").await.status, 400);
    assert_eq!(house.gateway.send("POST", "/v1/batch", &twice[..1], "{}").await.status, 400);
    assert_eq!((house.remaining(&account).await, house.upstream.seen().len()), (1_000, 0));
    for (size, left) in [("1", "999"), ("100", "899")] {
        let lines = [("Authorization", &*key), ("Batch-Size", size)];
        let answer = house.gateway.send("POST", "/v1/batch", &lines, "{}").await;
        assert_eq!((answer.header("Credits-Cost"), answer.header("Credits-Remaining")), (Some(size), Some(left)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_paid_is_refused_with_the_numbers() {
    let mut house = House::start_with("billing_url = \"https://console.test/billing\"").await;
    let account = house.account(Status::Active, 5).await;
    let lines = [("Authorization", &*bearer(&account.key)), ("Batch-Size", "6")];
    let answer = house.gateway.send("POST", "/v1/batch", &lines, "{}").await;
    assert_eq!(answer.header("Content-Type"), Some("application/problem+json"));
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank", "title": "Payment Required", "status": 402, "code": "credits_exhausted",
            "detail": "The account has too few credits left for this request.",
            "request_id": answer.header("Request-Id").unwrap(), "remaining": 5, "price": 6,
            "fix_url": "https://console.test/billing",
        })
    );
    assert_eq!((answer.header("Credits-Remaining"), answer.header("Cache-Control")), (Some("5"), Some("no-store")));
    let account = house.account_with_budget(Status::Active, 100, 3).await;
    for _ in 0..3 {
        assert_eq!(house.message(&account, "").await.status, 200);
    }
    let answer = house.message(&account, "").await;
    let problem = answer.json();
    assert_eq!((answer.status, answer.code().as_str()), (402, "budget_exhausted"));
    assert_eq!(
        (&problem["budget_limit"], &problem["budget_used"], &problem["price"]),
        (&json!(3), &json!(3), &json!(1))
    );
    assert_eq!(problem["resets_at"].as_str(), answer.header("Budget-Reset"));
    assert_eq!(answer.header("Budget-Remaining"), Some("0"));
    assert_eq!(house.remaining(&account).await, 97);
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_are_answered_by_the_gateway_and_cost_nothing() {
    let mut house = House::start().await;
    let account = house.account_with_budget(Status::Active, 10, 8).await;
    house.message(&account, "").await;
    let shown = house.get("/v1/credits", &account).await.json();
    assert_eq!(
        (&shown["status"], &shown["remaining"], &shown["used_this_period"]),
        (&json!("active"), &json!(9), &json!(1))
    );
    assert_eq!((&shown["budget"]["limit"], &shown["budget"]["remaining"]), (&json!(8), &json!(7)));
    assert_eq!(shown["next_expiry"], json!({ "at": "2100-01-01T00:00:00Z", "credits": 9 }));
    let account = house.account(Status::Suspended, 0).await;
    let shown = house.get("/v1/credits", &account).await.json();
    assert_eq!((&shown["budget"], &shown["next_expiry"], &shown["remaining"]), (&json!(null), &json!(null), &json!(0)));
    assert_eq!(house.upstream.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_revoked_where_money_is_kept_draws_nothing_at_once() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    assert_eq!(house.message(&account, "").await.status, 200);
    // The cached key still says active: only the account has heard of it.
    house.stage.control(account.id, Change::KeyRevoked { key: account.key_image.key }).await;
    let answer = house.message(&account, "").await;
    assert_eq!((answer.status, &answer.json()["reason"]), (401, &json!("revoked")));
    assert_eq!(house.remaining(&account).await, 9);
    house.stage.control(account.id, Change::LotExpired { lot: LotId::new(1).unwrap() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callers_exactly_as_many_pass_as_can_pay() {
    // Patient, so that a busy machine does not turn a 402 into a 503.
    let mut house = House::start_with("[meter]\nwait_ms_max = 8000\nop_lifetime_ms = 20000").await;
    let account = house.account(Status::Active, 50).await;
    let answers = futures::future::join_all((0..200).map(|_| house.message(&account, ""))).await;
    let of = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(200), of(402)), (50, 150));
    assert_eq!((house.remaining(&account).await, house.upstream.seen().len()), (0, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_priced_request_is_one_script_call() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 50).await;
    house.message(&account, "").await;
    house.warm(&account).await;
    let before = house.script_calls().await;
    for _ in 0..20 {
        assert_eq!(house.message(&account, "").await.status, 200);
    }
    assert_eq!(house.script_calls().await - before, 20);
    // Whoever waits for the same key shares one look-up, and "unknown" is remembered.
    let unknown = format!("Bearer {}", metering::ApiKey::generate(metering::KeyMode::Test, [9; 32]).reveal());
    let lines = [("Authorization", unknown.as_str())];
    let before = house.script_calls().await;
    let calls = (0..30).map(|_| house.gateway.send("POST", "/v1/messages", &lines, "{}"));
    assert!(futures::future::join_all(calls).await.iter().all(|answer| answer.status == 401));
    assert_eq!(house.script_calls().await - before, 1);
}
