//! A new gateway takes the place of the one that runs: nobody notices, and a new one that can't changes nothing.

use std::time::Duration;

use metering::Status;
use metering::testing::free_port;
use tempfile::TempDir;

use crate::house::{House, Traffic, bearer, raw, until};

const OPEN: &str = "GET /open HTTP/1.1\r\nHost: a\r\n\r\n";
const TAKES_OVER: &str = "another gateway serves now";

fn settings(directory: &TempDir) -> String {
    format!("[upgrade]\nsocket = \"{}\"\nready_ms_max = 2000", directory.path().join("gateway.sock").display())
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_under_traffic_fail_no_request() {
    let directory = TempDir::new().unwrap();
    let mut house = House::start_with(&settings(&directory)).await;
    let account = house.account(Status::Active, 1_000_000).await;
    let key = bearer(&account.key);
    let priced = format!("POST /v1/group HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nContent-Length: 2\r\n\r\n{{}}");
    let free = Traffic::start(house.gateway.port, OPEN, 5, 5);
    let paid = Traffic::start(house.gateway.port, &priced, 5, 5);
    let started = std::time::Instant::now();
    for number in 1..=5 {
        paid.until_more(100).await;
        let mut before = house.gateway.upgrade();
        let status = before.until_gone(Duration::from_secs(10)).await;
        assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", house.gateway.log());
        assert_eq!(house.gateway.log().matches(TAKES_OVER).count(), number);
        free.until_more(100).await;
        house.gateway.until_ready().await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let (free, paid) = (free.end().await, paid.end().await);
    println!("{free} free and {paid} paid requests in {seconds:.1} s");
    assert_eq!(house.upstream.seen().len(), free + paid, "each was sent once");
    house.until_remaining(&account, 1_000_000 - u64::try_from(paid).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_gateway_that_can_not_serve_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let mut house = House::start_with(&settings(&directory)).await;
    let account = house.account(Status::Active, 1_000_000).await;
    let key = bearer(&account.key);
    let priced = format!("POST /v1/group HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nContent-Length: 2\r\n\r\n{{}}");
    let traffic = Traffic::start(house.gateway.port, &priced, 5, 5);
    let (redis, nowhere) = (house.redis.url(), format!("redis://127.0.0.1:{}", free_port()));
    for (from, to, code) in [(redis.as_str(), nowhere.as_str(), 1), ("threads = 2", "thread = 2", 64)] {
        house.gateway.edit("gateway.toml", from, to);
        let before = house.gateway.upgrade();
        let status = house.gateway.until_gone(Duration::from_secs(10)).await.expect("it gives up");
        assert_eq!(status.code(), Some(code), "{}", house.gateway.log());
        house.gateway.stays(before);
        house.gateway.edit("gateway.toml", to, from);
        traffic.until_more(100).await;
    }
    // And it can still be upgraded.
    let mut before = house.gateway.upgrade();
    assert!(before.until_gone(Duration::from_secs(10)).await.expect("it ends").success());
    traffic.until_more(100).await;
    traffic.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_in_the_old_gateway_until_its_end() {
    let directory = TempDir::new().unwrap();
    let mut house = House::start_with(&settings(&directory)).await;
    let account = house.account(Status::Active, 10).await;
    let key = bearer(&account.key);
    let request = format!(
        "POST /v1/stream HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nX-Do: sse\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    let streaming = raw(house.gateway.port, request.as_bytes());
    let replacing = async {
        until("the stream is under way", || house.upstream.seen().len() == 1).await;
        let before = house.gateway.upgrade();
        until("the new one serves", || house.gateway.log().contains(TAKES_OVER)).await;
        assert_eq!(house.gateway.send("GET", "/open", &[], "").await.status, 200);
        house.upstream.go_on();
        before
    };
    let (answer, mut before) = tokio::join!(streaming, replacing);
    let answer = answer.expect("it is answered");
    assert!(answer.status == 200 && answer.text().contains("data: {}\n\n"), "{answer:?}");
    assert!(before.until_gone(Duration::from_secs(10)).await.expect("it ends").success());
    house.until_remaining(&account, 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_where_nothing_runs_is_a_start() {
    let directory = TempDir::new().unwrap();
    let mut house = House::start_with(&settings(&directory)).await;
    house.gateway.signal("TERM");
    house.gateway.until_gone(Duration::from_secs(8)).await.expect("it ends");
    // The socket's file is still there, and nobody behind it.
    drop(house.gateway.upgrade());
    house.gateway.until_ready().await;
    assert_eq!(house.gateway.send("GET", "/open", &[], "").await.status, 200);
}
