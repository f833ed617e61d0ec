//! Who may call: API keys good and bad, and how soon a change of one is known.

use std::time::Instant;

use metering::{ApiKey, KeyMode, KeyState, Status, TimeMs};

use crate::house::{House, bearer};

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_key_gets_its_reason_and_draws_nothing() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let (revoked, mut image) = house.key(account.id, Status::Active).await;
    image.state = KeyState::Revoked;
    house.stage.put_key(image).await;
    let (expired, mut image) = house.key(account.id, Status::Active).await;
    image.expires_at = Some(TimeMs::new(1));
    house.stage.put_key(image).await;
    let unknown = ApiKey::generate(KeyMode::Test, [7; 32]);
    let (begun, last) = account.key.reveal().split_at(account.key.reveal().len() - 1);
    let too_long = format!("Bearer {begun}{last}x");
    let mistyped = format!("Bearer {begun}{}", if last == "x" { "y" } else { "x" });
    for (authorization, reason) in [
        (None, "missing"),
        (Some("Basic dTpw".to_owned()), "malformed"),
        (Some("Bearer".to_owned()), "malformed"),
        (Some(too_long), "malformed"),
        (Some(mistyped), "malformed"),
        (Some(bearer(&unknown)), "unknown"),
        (Some(bearer(&unknown)), "unknown"),
        (Some(bearer(&revoked)), "revoked"),
        (Some(bearer(&expired)), "expired"),
    ] {
        let lines: Vec<_> = authorization.iter().map(|value| ("Authorization", value.as_str())).collect();
        for (method, path) in [("POST", "/v1/messages"), ("GET", "/v1/artifacts/7"), ("GET", "/v1/credits")] {
            let answer = house.gateway.send(method, path, &lines, "").await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_api_key"), "{reason}: {answer:?}");
            assert_eq!(answer.json()["reason"], reason);
            assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer"));
            assert_eq!(answer.header("Content-Type"), Some("application/problem+json"));
        }
    }
    assert_eq!(house.upstream.seen().len(), 0);
    assert_eq!(house.remaining(&account).await, 10);
    assert!(house.gateway.metric("tollgate_gateway_key_lookups_total{result=\"unknown_hit\"}").await >= 3);
    // The revoked, the expired and the unknown one are remembered, and of those that can't be keys nobody was asked. The cache counts them some time after a look-up.
    let (started, lines) = (Instant::now(), [("Authorization", &*bearer(&unknown))]);
    while house.gateway.metric("tollgate_gateway_key_cache_entries").await != 3 {
        assert!(started.elapsed().as_secs() < 10, "the cache counts another number of keys");
        house.gateway.send("GET", "/v1/credits", &lines, "").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_credentials_are_refused() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let key = bearer(&account.key);
    for second in [("Authorization", key.as_str()), ("X-Api-Key", account.key.reveal())] {
        for path in ["/v1/artifacts/7", "/open"] {
            let answer = house.gateway.send("GET", path, &[("Authorization", &key), second], "").await;
            assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{second:?}");
        }
    }
    assert_eq!(house.gateway.send("GET", "/open", &[], "").await.status, 200);
    assert_eq!(house.upstream.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_change_is_known_within_a_second() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    house.warm(&account).await;
    let reads = house.gateway.metric("tollgate_gateway_key_lookups_total{result=\"read\"}").await;
    for _ in 0..5 {
        assert_eq!(house.get("/v1/settings", &account).await.status, 200);
    }
    assert_eq!(
        house.gateway.metric("tollgate_gateway_key_lookups_total{result=\"read\"}").await,
        reads,
        "a warm key asks nobody"
    );

    let mut image = account.key_image.clone();
    for (state, status, answered) in [
        (KeyState::Active, Status::Suspended, (403, "account_suspended")),
        (KeyState::Active, Status::PaymentFailed, (402, "payment_failed")),
        (KeyState::Active, Status::Pending, (403, "account_pending")),
        (KeyState::Revoked, Status::Active, (401, "invalid_api_key")),
    ] {
        (image.state, image.account_status) = (state, status);
        house.stage.put_key(image.clone()).await;
        let changed = Instant::now();
        loop {
            let answer = house.get("/v1/settings", &account).await;
            if answer.status != 200 && (answer.status, answer.code().as_str()) == answered {
                break;
            }
            assert!(changed.elapsed().as_millis() < 1_000, "{answered:?} was not known within a second: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_account_reads_what_its_routes_allow() {
    let mut house = House::start().await;
    for (status, answered) in [
        (Status::PaymentFailed, (402, "payment_failed")),
        (Status::Suspended, (403, "account_suspended")),
        (Status::Pending, (403, "account_pending")),
    ] {
        let account = house.account(status, 10).await;
        assert_eq!(house.get("/v1/artifacts/7", &account).await.status, 200, "allowed when blocked");
        let settings = house.get("/v1/settings", &account).await;
        assert_eq!((settings.status, settings.code().as_str()), answered, "denied when blocked");
        let message = house.message(&account, "").await;
        assert_eq!((message.status, message.code().as_str()), answered, "priced");
        assert_eq!(message.json()["account_status"], status.as_str());
        assert_eq!(house.remaining(&account).await, 10);
    }
    for status in [Status::Trial, Status::Active, Status::Approved] {
        let account = house.account(status, 10).await;
        assert_eq!(house.message(&account, "").await.status, 200);
        assert_eq!(house.remaining(&account).await, 9);
    }
}
