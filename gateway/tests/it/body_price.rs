//! A price that stands in the body: the body is read before the draw, and goes upstream whole.

use std::time::{Duration, Instant};

use metering::{Body, Status};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{Account, Answer, House, Signer, bearer, now_seconds, session_settings};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const PATH: &str = "POST /chat/messages HTTP/1.1\r\nHost: gateway.test\r\n";

async fn house(more: &str) -> House {
    House::start_with(&format!("{}{more}", session_settings("HS256", &format!("secret = \"{SECRET}\"\n")))).await
}

async fn post(house: &House, account: &Account, lines: &[(&str, &str)], body: &str) -> Answer {
    let key = bearer(&account.key);
    let lines = [&[("Authorization", key.as_str())], lines].concat();
    house.gateway.send("POST", "/chat/messages", &lines, body).await
}

async fn debits(house: &mut House, account: &Account) -> usize {
    let events = house.stage.events(&account.id).await;
    events.iter().filter(|event| matches!(event.body, Body::Debit { .. })).count()
}

/// A message of exactly so many bytes.
fn message(bytes: usize) -> String {
    let (start, end) = (r#"{"respond":true,"text":""#, r#""}"#);
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
}

/// The body in chunks of so many bytes.
fn chunked(body: &str, size: usize) -> String {
    let chunks = body.as_bytes().chunks(size);
    let chunks = chunks.map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap()));
    chunks.collect::<String>() + "0\r\n\r\n"
}

/// What the chunks held.
fn unchunked(mut text: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = text.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&text[..end]).unwrap(), 16).unwrap();
        body.extend_from_slice(&text[end + 2..end + 2 + length]);
        text = &text[end + 4 + length..];
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_wants_a_reply_draws_one_and_one_that_does_not_draws_none() {
    let mut house = house("").await;
    let account = house.account(Status::Active, 10).await;
    let told = ("Tollgate-Price-Drawn", "7");
    for (body, price, remaining) in [
        (r#"{"respond":true}"#, "1", 9),
        (r#"{"respond":false}"#, "0", 9),
        ("{}", "0", 9),
        (r#"{"respond":null,"x":{"respond":true}}"#, "0", 9),
        (r#"{"text":"hello","respond":true}"#, "1", 8),
    ] {
        let answer = post(&house, &account, &[told, ("Tollgate_Price_Drawn", "7")], body).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        assert_eq!(answer.header("Credits-Cost"), (price == "1").then_some("1"), "{body}");
        assert_eq!(house.remaining(&account).await, remaining, "{body}");
        let seen = house.upstream.last();
        assert_eq!(seen.values("tollgate-price-drawn"), [price], "{body}");
        assert!(seen.values("tollgate_price_drawn").is_empty());
        assert_eq!(seen.body, body.as_bytes());
    }
    assert_eq!(debits(&mut house, &account).await, 2, "a request that draws nothing is no event");
    assert_eq!(house.message(&account, "").await.status, 200);
    assert_eq!(house.upstream.last().values("tollgate-price-drawn"), ["1"]);
    let lines = [("Authorization", &*bearer(&account.key)), told];
    assert_eq!(house.gateway.send("GET", "/v1/artifacts/7", &lines, "").await.status, 200);
    assert!(house.upstream.last().values("tollgate-price-drawn").is_empty(), "a free route has no price");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_chat_pays_by_its_session() {
    let mut house = house("").await;
    let account = house.account(Status::Active, 10).await;
    let now = now_seconds();
    let claims = json!({
        "iss": "id.test", "aud": "gateway.test", "sub": "ann", "exp": now + 600, "iat": now, "account": account.id.to_string(),
    });
    let token = Signer::Hs256(SECRET.into()).sign(&json!({ "alg": "HS256" }), &claims);
    let cookie = format!("__Host-tollgate-session={token}");
    for (respond, remaining) in [(true, 9), (false, 9)] {
        let lines = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/json")];
        let body = json!({ "respond": respond }).to_string();
        assert_eq!(house.gateway.send("POST", "/chat/messages", &lines, &body).await.status, 200);
        assert_eq!(house.remaining(&account).await, remaining);
        assert_eq!(house.upstream.last().values("tollgate-subject"), ["ann"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_goes_upstream_whole_up_to_its_limit() {
    let mut house = house("").await;
    let account = house.account(Status::Active, 100).await;
    let mut drawn = 0;
    for bytes in [30, 1_000, 65_535, 65_536, 65_537, 131_072, 131_073, 300_000, 1 << 20] {
        let body = message(bytes);
        let answer = post(&house, &account, &[], &body).await;
        assert_eq!(answer.status, 200, "{bytes} bytes: {answer:?}\n{}", house.gateway.log());
        let seen = house.upstream.last();
        assert_eq!((seen.values("content-length"), seen.body.len()), (vec![&*bytes.to_string()], bytes));
        assert!(seen.body == body.as_bytes(), "{bytes} bytes changed on their way");
        drawn += 1;
    }
    let key = bearer(&account.key);
    for (bytes, size) in [(30, 7), (1_000, 1), (20_000, 16_384), (65_536, 4_096), (65_536, 65_536)] {
        let body = message(bytes);
        let head = format!("{PATH}Authorization: {key}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        let answer = house.gateway.raw(&format!("{head}{}", chunked(&body, size))).await;
        assert_eq!(answer.status, 200, "{bytes} bytes in chunks of {size}: {answer:?}");
        let seen = house.upstream.last();
        assert_eq!(seen.values("transfer-encoding"), ["chunked"]);
        assert!(unchunked(&seen.body) == body.as_bytes(), "{bytes} bytes in chunks of {size} changed on their way");
        drawn += 1;
    }
    assert_eq!((house.upstream.seen().len(), house.remaining(&account).await), (drawn, 100 - drawn as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_can_not_be_priced_is_refused_and_draws_nothing() {
    let mut house = house("").await;
    let account = house.account(Status::Active, 10).await;
    for (body, status, code) in [
        ("", 400, "bad_request"),
        ("{", 400, "bad_request"),
        ("{}x", 400, "bad_request"),
        (r#"{"respond":"true"}"#, 400, "bad_request"),
        (r#"{"respond":1}"#, 400, "bad_request"),
        (r#"{"respond":false,"respond":true}"#, 400, "bad_request"),
        (r#"{"respond":false,"Respond":true}"#, 400, "bad_request"),
        (&message((1 << 20) + 1), 413, "body_too_large"),
    ] {
        let answer = post(&house, &account, &[], body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body:.40}: {answer:?}");
    }
    for encoding in ["gzip", "identity", "br"] {
        let answer = post(&house, &account, &[("Content-Encoding", encoding)], r#"{"respond":false}"#).await;
        assert_eq!((answer.status, answer.code().as_str()), (415, "unsupported_media_type"), "{encoding}");
    }
    let key = bearer(&account.key);
    for (body, status) in
        [(chunked(&message(65_537), 4_096), 413), ("zz\r\n{}\r\n0\r\n\r\n".to_owned(), 400), (chunked("{", 1), 400)]
    {
        let answer =
            house.gateway.raw(&format!("{PATH}Authorization: {key}\r\nTransfer-Encoding: chunked\r\n\r\n{body}")).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let stranger = house.gateway.raw(&format!("{PATH}Content-Length: 1000000\r\n\r\n")).await;
    assert_eq!(stranger.status, 401, "nothing is read for who is not known");
    assert_eq!((house.upstream.seen().len(), debits(&mut house, &account).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_not_spend_sends_no_message_of_either_kind() {
    let mut house = house("").await;
    for (status, answered) in
        [(Status::Suspended, (403, "account_suspended")), (Status::PaymentFailed, (402, "payment_failed"))]
    {
        let account = house.account(status, 10).await;
        for body in [r#"{"respond":true}"#, r#"{"respond":false}"#] {
            let answer = post(&house, &account, &[], body).await;
            assert_eq!((answer.status, answer.code().as_str()), answered, "{body}");
        }
        assert_eq!(debits(&mut house, &account).await, 0);
    }
    let poor = house.account(Status::Active, 0).await;
    assert_eq!(post(&house, &poor, &[], r#"{"respond":true}"#).await.status, 402);
    assert_eq!(post(&house, &poor, &[], r#"{"respond":false}"#).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_priced_body_must_come_in_time_and_draws_nothing_before() {
    let mut house = house("[limits]\nbody_ms_max = 400\n").await;
    let account = house.account(Status::Active, 10).await;
    let head = format!("{PATH}Authorization: {}\r\nContent-Length: 1000\r\n\r\n", bearer(&account.key));
    for trickles in [false, true] {
        let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut answer, started) = (Vec::new(), Instant::now());
        while answer.is_empty() && started.elapsed() < Duration::from_secs(5) {
            if trickles {
                stream.write_all(b" ").await.ok();
            }
            tokio::time::timeout(Duration::from_millis(50), stream.read_buf(&mut answer)).await.ok();
        }
        assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!((debits(&mut house, &account).await, house.upstream.seen().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_goes_on_after_a_priced_body() {
    let mut house = house("").await;
    let account = house.account(Status::Active, 10).await;
    let key = bearer(&account.key);
    let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    let (small, large) = (message(100), message(200_000));
    for (framing, body, status) in [
        (format!("Content-Length: {}", small.len()), small.clone(), "200"),
        (format!("Content-Length: {}", large.len()), large.clone(), "200"),
        ("Transfer-Encoding: chunked".to_owned(), chunked(&small, 9), "200"),
        (format!("Expect: 100-continue\r\nContent-Length: {}", small.len()), small.clone(), "100"),
    ] {
        let head = format!("{PATH}Authorization: {key}\r\n{framing}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        if status != "100" {
            stream.write_all(body.as_bytes()).await.unwrap();
        }
        let mut answer = String::new();
        if status == "100" {
            answer = until_told(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
            stream.write_all(body.as_bytes()).await.unwrap();
        }
        answer += &until_told(&mut stream, "\"upstream\"}").await;
        assert_eq!(
            (answer.matches("HTTP/1.1 100").count(), answer.matches("HTTP/1.1 200").count()),
            (usize::from(status == "100"), 1),
            "{framing}: {answer}"
        );
        assert!(house.upstream.last().values("expect").is_empty());
        assert!(!house.upstream.last().body.is_empty());
    }
    assert_eq!((house.upstream.seen().len(), house.remaining(&account).await), (4, 6));
}

/// Reads until the answer ends with this.
async fn until_told(stream: &mut TcpStream, end: &str) -> String {
    let mut told = Vec::new();
    while !told.ends_with(end.as_bytes()) {
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_buf(&mut told)).await;
        assert!(matches!(read, Ok(Ok(1..))), "{}", String::from_utf8_lossy(&told));
    }
    String::from_utf8_lossy(&told).into_owned()
}
