//! Debits with a deadline: their requests say that they go on, and how they ended, in batches off the request path.

use std::time::{Duration, Instant};

use metering::{Body, Ended, RequestOutcome, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{Account, Answer, House, PATIENCE, bearer};
use crate::redis_away::signal;

async fn post(house: &House, account: &Account, path: &str, order: &str) -> Answer {
    let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", order)];
    house.gateway.send("POST", path, &lines, "{}").await
}

/// Sends a request and reads until the upstream has said something.
async fn begin(house: &House, account: &Account, path: &str, order: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    let key = bearer(&account.key);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {key}\r\nX-Do: {order}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("data: ") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{}", house.gateway.log());
    }
    stream
}

/// What was said of debits, oldest first.
async fn said(house: &mut House, account: &Account) -> Vec<Body> {
    let events = house.stage.events(&account.id).await;
    let said = |body: &Body| matches!(body, Body::Confirm { .. } | Body::Extend { .. });
    events.into_iter().map(|event| event.body).filter(said).collect()
}

async fn outcomes(house: &mut House, account: &Account) -> Vec<RequestOutcome> {
    let said = said(house, account).await.into_iter();
    said.filter_map(|body| if let Body::Confirm { outcome, .. } = body { Some(outcome) } else { None }).collect()
}

/// Waits until so much was said.
async fn until_said(house: &mut House, account: &Account, count: usize) -> Vec<Body> {
    let started = Instant::now();
    loop {
        let said = said(house, account).await;
        if said.len() >= count {
            return said;
        }
        assert!(started.elapsed() < PATIENCE, "only {said:?} was said\n{}", house.gateway.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn confirms(house: &House, outcome: &str) -> u64 {
    house.gateway.metric(&format!("tollgate_gateway_confirms_total{{outcome=\"{outcome}\"}}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_is_confirmed_with_how_its_request_ended() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let answer = post(&house, &account, "/v1/sure", "").await;
    assert_eq!((answer.status, answer.header("Credits-Cost")), (200, Some("1")));
    let said = until_said(&mut house, &account, 1).await;
    let Body::Confirm { debit_op, credits, outcome, .. } = said[0] else { panic!("{said:?}") };
    assert_eq!((Some(&*debit_op.to_string()), credits.get()), (answer.header("Credits-Receipt"), 1));
    let wanted = RequestOutcome { upstream_status: Some(200), answer_bytes: 19, ended: Ended::Complete, ..outcome };
    assert_eq!(outcome, wanted);
    assert_eq!(confirms(&house, "confirmed").await, 1);
    // Routes that do not ask for it pay nothing for it.
    assert_eq!(house.message(&account, "").await.status, 200);
    let events = house.stage.events(&account.id).await;
    let deadlines: Vec<bool> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::Debit { hold_until, .. } => Some(hold_until.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(deadlines, [true, false]);
    assert_eq!((house.remaining(&account).await, outcomes(&mut house, &account).await.len()), (8, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_back_is_not_confirmed_and_what_its_route_keeps_is() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    assert_eq!(post(&house, &account, "/v1/sure", "status=500").await.header("Credits-Cost"), Some("0"));
    post(&house, &account, "/v1/sure", "sse-clean-cut").await;
    house.until_remaining(&account, 10).await;
    post(&house, &account, "/v1/sure/keeps", "status=500").await;
    until_said(&mut house, &account, 1).await;
    post(&house, &account, "/v1/sure/keeps", "cut-length").await;
    until_said(&mut house, &account, 2).await;
    let ended: Vec<_> =
        outcomes(&mut house, &account).await.iter().map(|it| (it.upstream_status, it.answer_bytes, it.ended)).collect();
    assert_eq!(ended, [(Some(500), 2, Ended::Complete), (Some(200), 4, Ended::UpstreamFailed)]);
    // Who hangs up pays, and so it stands in the receipt.
    drop(begin(&house, &account, "/v1/sure", "sse-endless").await);
    until_said(&mut house, &account, 3).await;
    assert_eq!(outcomes(&mut house, &account).await[2].ended, Ended::CallerLeft);
    assert_eq!(house.remaining(&account).await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_goes_on_says_so_until_it_is_over() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let mut stream = begin(&house, &account, "/v1/sure", "sse").await;
    let said = until_said(&mut house, &account, 2).await;
    let deadlines: Vec<u64> = said
        .iter()
        .map(|body| match body {
            Body::Extend { hold_until, .. } => hold_until.as_u64(),
            _ => panic!("{said:?}"),
        })
        .collect();
    assert!((800..3_000).contains(&(deadlines[1] - deadlines[0])), "about a third of 3 s: {deadlines:?}");
    house.upstream.go_on();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    let started = Instant::now();
    while outcomes(&mut house, &account).await.is_empty() {
        assert!(started.elapsed() < PATIENCE, "{}", house.gateway.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let after = said_later(&mut house, &account).await;
    assert!(matches!(after.last(), Some(Body::Confirm { .. })), "the last word is how it ended: {after:?}");
}

/// What was said once more than a third of the deadline has passed in which nothing may be said.
async fn said_later(house: &mut House, account: &Account) -> Vec<Body> {
    let over = Instant::now();
    crate::house::until("time passes", || over.elapsed() > Duration::from_millis(1_300)).await;
    said(house, account).await
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmations_wait_for_redis_and_are_counted_once() {
    let mut house = House::start_with("[meter]\nwait_ms_max = 150\nrestitution_pause_ms_max = 100").await;
    let account = house.account(Status::Active, 10).await;
    let mut stream = begin(&house, &account, "/v1/sure", "sse").await;
    signal(&house.redis, "STOP");
    house.upstream.go_on();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    let started = Instant::now();
    // Sent at least once, and nobody knows whether it came.
    while house.gateway.metric("tollgate_gateway_confirms_waiting").await == 0
        || started.elapsed() < Duration::from_millis(500)
    {
        assert!(started.elapsed() < PATIENCE, "{}", house.gateway.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    signal(&house.redis, "CONT");
    while house.gateway.metric("tollgate_gateway_confirms_waiting").await > 0 {
        assert!(started.elapsed() < PATIENCE, "{}", house.gateway.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(outcomes(&mut house, &account).await.len(), 1);
    let (sure, unsure) = (confirms(&house, "confirmed").await, confirms(&house, "repeated").await);
    assert_eq!((sure + unsure, confirms(&house, "late").await), (1, 0));
    assert_eq!(house.remaining(&account).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_confirms_first_what_was_served() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 100).await;
    for _ in 0..20 {
        assert_eq!(post(&house, &account, "/v1/sure", "").await.status, 200);
    }
    house.gateway.signal("TERM");
    house.gateway.until_gone(Duration::from_secs(8)).await.expect("it ends");
    assert_eq!(outcomes(&mut house, &account).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_fast_stop_cuts_off_goes_back_or_is_confirmed_as_its_route_says() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let _given_back = begin(&house, &account, "/v1/sure", "sse").await;
    let _kept = begin(&house, &account, "/v1/sure/keeps", "sse").await;
    house.gateway.signal("INT");
    house.gateway.until_gone(Duration::from_secs(15)).await.expect("it ends");
    let outcomes = outcomes(&mut house, &account).await;
    assert_eq!(outcomes.iter().map(|outcome| outcome.ended).collect::<Vec<_>>(), [Ended::Cut]);
    assert_eq!(house.remaining(&account).await, 9);
}
