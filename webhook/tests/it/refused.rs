//! What is not taken: forged, stale, cut off, too large, too slow, no event. None of it reaches the book.

use std::time::Duration;

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{PATIENCE, SECRET, Webhook};
use crate::signed::{Signed, now_s, plain, sign, sign_now};

fn unsigned(body: &[u8]) -> Signed {
    Signed { body: body.to_vec(), headers: Vec::new() }
}

#[tokio::test]
async fn what_stripe_has_not_signed_just_now_is_400_with_a_code_and_never_kept() {
    let (webhook, book) = Webhook::start().await;
    let body = plain("evt_1").to_string().into_bytes();
    let good = sign_now(SECRET, &body);
    let mut flipped = good.clone();
    flipped.body[20] ^= 1;
    let mut cut = good.clone();
    cut.body.truncate(body.len() - 1);
    let mut twice = good.clone();
    twice.headers.push(good.headers[0].clone());
    let mut garbled = good.clone();
    garbled.headers = vec!["v1=abc".to_owned()];
    let forged = sign_now("whsec_ffffffffffffffffffffffffffffffff", &body);
    let not_json = sign_now("whsec_ffffffffffffffffffffffffffffffff", b"\xff\xfe not json");
    for (what, signed, code) in [
        ("forged", &forged, "400 signature_wrong"),
        ("flipped", &flipped, "400 signature_wrong"),
        ("cut", &cut, "400 signature_wrong"),
        ("not JSON, forged", &not_json, "400 signature_wrong"),
        ("old", &sign(SECRET, &body, now_s() - 600), "400 signature_too_old"),
        ("from the future", &sign(SECRET, &body, now_s() + 600), "400 signature_too_new"),
        ("unsigned", &unsigned(&body), "400 signature_missing"),
        ("signed twice", &twice, "400 signature_missing"),
        ("garbled", &garbled, "400 header_malformed"),
    ] {
        assert_eq!(webhook.post(signed).await.problem(), code, "{what}");
    }
    assert_eq!(webhook.metric("tollgate_webhook_refused_total{reason=\"signature_wrong\"}").await, 4);
    assert_eq!(webhook.metric("tollgate_webhook_refused_total{reason=\"signature_too_old\"}").await, 1);
    assert_eq!(book.number("SELECT count(*) FROM stripe_deliveries").await, 0);
    assert_eq!(webhook.post(&good).await.status, 200, "the same body, as Stripe signed it");
}

#[tokio::test]
async fn what_is_signed_and_no_event_is_400_malformed() {
    let (webhook, book) = Webhook::start().await;
    for body in
        [&b""[..], b"not json", b"{}", b"[]", b"{\"id\":5}", b"\xff\xfe", b"{\"id\":\"evt_1\",\"type\":\"payout"]
    {
        let answer = webhook.post(&sign_now(SECRET, body)).await;
        assert_eq!(answer.problem(), "400 malformed", "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(book.number("SELECT count(*) FROM stripe_deliveries").await, 0);
}

#[tokio::test]
async fn a_huge_body_is_413_whether_it_says_its_length_or_not() {
    let (webhook, _book) = Webhook::start().await;
    let huge = vec![b' '; (1 << 20) + 1];
    assert_eq!(webhook.post(&sign_now(SECRET, &huge)).await.problem(), "413 body_too_large");
    let chunked = raw(
        &webhook,
        &[b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", &huge[..]]
            .concat(),
    )
    .await;
    assert!(chunked.starts_with("HTTP/1.1 413 ") && chunked.contains("body_too_large"), "{chunked}");
    let declared =
        raw(&webhook, b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n").await;
    assert!(declared.starts_with("HTTP/1.1 413 "), "without waiting for it: {declared}");
    let mut largest = plain("evt_1").to_string().into_bytes();
    largest.resize(1 << 20, b' ');
    assert_eq!(webhook.post(&sign_now(SECRET, &largest)).await.status, 200);
}

#[tokio::test]
async fn who_dawdles_is_let_go() {
    let book = ledger::testing::database().await;
    let webhook = Webhook::start_on(&book.url, "limits.header_ms_max = 300\nlimits.body_ms_max = 300");
    webhook.wait_ready().await;
    let late = raw(&webhook, b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").await;
    assert!(late.starts_with("HTTP/1.1 408 ") && late.contains("body_too_slow"), "{late}");
    let header = raw(&webhook, b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nStripe-Sign").await;
    assert!(header.is_empty() || header.starts_with("HTTP/1.1 408 "), "{header}");
    let header =
        raw(&webhook, &[&b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nX: "[..], &vec![b'x'; 40_000][..]].concat())
            .await;
    assert!(header.is_empty() || header.starts_with("HTTP/1.1 431 "), "{header}");
}

#[tokio::test]
async fn nothing_else_is_here() {
    let (webhook, _book) = Webhook::start().await;
    assert_eq!(webhook.ask(Method::GET, "/webhooks/stripe").await.problem(), "405 method_not_allowed");
    assert_eq!(webhook.ask(Method::POST, "/webhooks/stripe/").await.problem(), "404 no_route");
    assert_eq!(webhook.ask(Method::GET, "/metrics").await.problem(), "404 no_route");
}

/// Writes bytes, keeps the connection open, and reads until the other side closes it or has answered.
async fn raw(webhook: &Webhook, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.1", webhook.port())).await.unwrap();
    let _ = stream.write_all(bytes).await; // who is refused early may not be heard out
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(PATIENCE.min(Duration::from_secs(10)), stream.read(&mut answer)).await;
    let read = read.expect("an answer or an end, within its limits").unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).into_owned()
}
