//! Redis absent, lost, silent, back again: free routes go on, priced ones wait, and nobody is charged for it.

use std::process::Command;
use std::time::{Duration, Instant};

use metering::Status;
use metering::testing::{RedisServer, Stage, free_port};

use serde_json::json;

use crate::house::{GatewayProcess, House, Signer, Upstream, now_seconds, session_settings};

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_starts_without_redis() {
    let upstream = Upstream::start().await;
    let gateway = GatewayProcess::start(&format!("redis://127.0.0.1:{}", free_port()), &upstream.url(), "");
    let started = Instant::now();
    while gateway.admin("/healthz").await.is_none_or(|answer| answer.status != 200) {
        assert!(started.elapsed() < Duration::from_secs(10), "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ready = gateway.admin("/readyz").await.unwrap();
    assert_eq!((ready.status, &ready.json()["ready"]), (503, &serde_json::json!(false)));
    assert_eq!(gateway.send("GET", "/open", &[], "").await.status, 200);
    let key = metering::ApiKey::generate(metering::KeyMode::Test, [1; 32]);
    let lines = [("X-Api-Key", key.reveal())];
    let answer = gateway.send("POST", "/v1/messages", &lines, "{}").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "meter_unavailable"), "never taken for an unknown key");
    assert_eq!(answer.header("Retry-After"), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn free_routes_outlive_redis_and_priced_ones_come_back_with_it() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    house.warm(&account).await;
    house.redis.kill();
    crate::house::until("the loss is known", || house.gateway.log().contains("can't be reached")).await;
    for _ in 0..3 {
        assert_eq!(house.get("/v1/artifacts/7", &account).await.status, 200, "{}", house.gateway.log());
        let answer = house.message(&account, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "meter_unavailable"));
    }
    assert_eq!(house.gateway.admin("/readyz").await.unwrap().status, 503);
    // Restarted with its data, and certified anew as its owner would.
    house.redis.start_again_empty();
    house.stage = Stage::open(&house.redis.url(), 2, 2).await;
    house.gateway.until_ready().await;
    let account = house.account(Status::Active, 10).await;
    assert_eq!(house.message(&account, "").await.status, 200);
    assert_eq!(house.remaining(&account).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncertified_shard_is_503_and_draws_nothing() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    assert_eq!(house.message(&account, "").await.status, 200);
    // Intact, but nobody has looked at it since it restarted.
    house.redis.start_again();
    let started = Instant::now();
    let answer = loop {
        let answer = house.message(&account, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "meter_unavailable"), "{answer:?}");
        if answer.json()["reason"] == "rebuilding" || started.elapsed() > Duration::from_secs(10) {
            break answer;
        }
    };
    assert_eq!(answer.json()["reason"], "rebuilding", "{}", house.gateway.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_without_an_answer_is_503_and_undone() {
    let mut house =
        House::start_with("[log]\nlevel = \"debug\"\n[meter]\nwait_ms_max = 150\nrestitution_pause_ms_max = 100").await;
    let account = house.account(Status::Active, 10).await;
    house.warm(&account).await;
    signal(&house.redis, "STOP");
    let asked = Instant::now();
    let answer = house.message(&account, "").await;
    let waited = asked.elapsed();
    signal(&house.redis, "CONT");
    assert_eq!((answer.status, answer.code().as_str()), (503, "meter_unavailable"));
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    // What the sleeping Redis drew when it woke up is marked for the book, which gives it back.
    let receipt = answer.header("Request-Id").unwrap().to_owned();
    let started = Instant::now();
    while !undone(&mut house, &account, &receipt).await {
        assert!(started.elapsed() < Duration::from_secs(10), "no undo of {receipt}\n{}", house.gateway.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(house.gateway.metric("tollgate_gateway_restitutions_total{kind=\"undo\"}").await >= 1);
    while house.gateway.metric("tollgate_gateway_restitutions_open").await > 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "something is still owed\n{}", house.gateway.log());
    }
}

async fn undone(house: &mut House, account: &crate::house::Account, op: &str) -> bool {
    let events = house.stage.events(&account.id).await;
    events
        .iter()
        .any(|event| matches!(&event.body, metering::Body::Undo { debit_op, .. } if debit_op.to_string() == op))
}

pub fn signal(redis: &RedisServer, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &redis.pid().to_string()]).status().unwrap().success());
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn sessions() -> String {
    session_settings("HS256", &format!("secret = \"{SECRET}\""))
}

fn session_of(account: &str) -> String {
    let now = now_seconds();
    let claims = json!({
        "iss": "id.test", "aud": "gateway.test", "sub": "ann", "exp": now + 600, "iat": now, "account": account,
    });
    format!("Bearer {}", Signer::Hs256(SECRET.into()).sign(&json!({ "alg": "HS256" }), &claims))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_not_refused_while_the_time_is_not_known() {
    let upstream = Upstream::start().await;
    let gateway = GatewayProcess::start(&format!("redis://127.0.0.1:{}", free_port()), &upstream.url(), &sessions());
    let started = Instant::now();
    while gateway.admin("/healthz").await.is_none_or(|answer| answer.status != 200) {
        assert!(started.elapsed() < Duration::from_secs(10), "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let session = session_of("acct_00000000000000000000000000000002");
    let answer = gateway.send("GET", "/chat/history", &[("Authorization", &session)], "").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "sessions_unavailable"), "nobody is signed out by it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_with_free_routes_without_redis() {
    let mut house = House::start_with(&sessions()).await;
    let (known, new) = (house.account(Status::Active, 10).await, house.account(Status::Active, 10).await);
    let (known, new) = (session_of(&known.id.to_string()), session_of(&new.id.to_string()));
    assert_eq!(house.gateway.send("GET", "/chat/profile", &[("Authorization", &known)], "").await.status, 200);
    house.redis.kill();
    crate::house::until("the loss is known", || house.gateway.log().contains("can't be reached")).await;
    for (session, method, path, status) in [
        (&known, "GET", "/chat/history", 200),
        (&known, "GET", "/chat/profile", 200),
        (&new, "GET", "/chat/history", 503), // nobody can say whether it was ended
        (&new, "GET", "/chat/profile", 503),
        (&known, "POST", "/chat/say", 503),
    ] {
        let answer = house.gateway.send(method, path, &[("Authorization", session)], "").await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
}
