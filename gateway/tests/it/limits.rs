//! The limits on what a caller may send, and how long it may take.

use std::time::{Duration, Instant};

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, bearer};

#[tokio::test(flavor = "multi_thread")]
async fn headers_too_large_or_too_many_or_ambiguous_are_refused() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let key = format!("Authorization: {}\r\n", bearer(&account.key));
    let many = "X-More: 1\r\n".repeat(70);
    for (lines, status, code) in [
        (format!("{key}X-Long: {}\r\n", "x".repeat(33_000)), 431, "header_too_large"),
        (format!("{key}{many}"), 431, "header_too_large"),
        (format!("{key}Content-Length: 2\r\nContent-Length: 2\r\n"), 400, "bad_request"),
        (format!("{key}Content-Length: 2, 2\r\n"), 400, "bad_request"),
    ] {
        let request = format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n{{}}");
        let answer = house.gateway.raw(&request).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
    }
    for request in [
        format!("POST /v1/messages HTTP/1.1\r\nConnection: close\r\n{key}\r\n"),
        format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nHost: a\r\n{key}\r\n"),
        format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n{key}\r\n"),
        format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n{key}\r\n"),
    ] {
        assert_eq!(house.gateway.raw(&request).await.status, 400, "{request}");
    }
    assert_eq!((house.upstream.seen().len(), house.remaining(&account).await), (0, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_too_large_is_refused_before_the_draw_or_given_back_after_it() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let key = bearer(&account.key);
    let large = "x".repeat(1_001);
    let answer = house.gateway.send("POST", "/v1/messages", &[("Authorization", &key)], &large).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
    assert_eq!(answer.json()["body_bytes_max"], 1_000);
    assert_eq!(
        house.stage.events(&account.id).await.iter().filter(|event| is_debit(event)).count(),
        0,
        "nothing was drawn"
    );
    // Chunks declare nothing, so they are counted.
    let chunked = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{large}\r\n0\r\n\r\n"
    );
    let answer = house.gateway.raw(&chunked).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"), "{answer:?}");
    assert_eq!((answer.header("Credits-Cost"), answer.header("Credits-Remaining")), (Some("0"), Some("10")));
    house.until_remaining(&account, 10).await;
    assert_eq!(house.message(&account, "").await.status, 200);
}

fn is_debit(event: &metering::Event) -> bool {
    matches!(event.body, metering::Body::Debit { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_its_framing_is_refused_and_given_back() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let key = bearer(&account.key);
    for body in ["zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}xx0\r\n\r\n", "-2\r\n{}\r\n", "ffffffffffffffffff\r\n{}\r\n"] {
        let request = format!(
            "POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        );
        let answer = house.gateway.raw(&request).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{body:?} {answer:?}");
        house.until_remaining(&account, 10).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_two_framings_reaches_the_upstream_as_one_request() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let key = bearer(&account.key);
    let answer = house
        .gateway
        .raw(&format!(
            "POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\n{{}}\r\n0\r\n\r\nGET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        ))
        .await;
    assert_eq!((answer.status, house.upstream.seen().len()), (200, 1));
    assert_eq!(house.upstream.last().values("content-length"), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_asks_first_is_told_to_go_on_or_refused() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 1).await;
    let key = bearer(&account.key);
    for (status, told) in [("200", "HTTP/1.1 100"), ("402", "HTTP/1.1 402")] {
        let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nX-Do: continue\r\nExpect: 100-continue\r\n\
             Content-Length: 2\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_buf(&mut answer).await.unwrap();
        assert!(answer.starts_with(told.as_bytes()), "{}", String::from_utf8_lossy(&answer));
        if status == "200" {
            stream.write_all(b"{}").await.unwrap();
            stream.read_to_end(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.contains("HTTP/1.1 200") && answer.matches("credits-cost").count() == 1, "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_must_come_in_time_however_it_trickles() {
    let house = House::start_with("[limits]\nheader_ms_max = 400").await;
    for first_request in [false, true] {
        let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
        if first_request {
            stream.write_all(b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            let mut answer = [0; 4096];
            let length = stream.read(&mut answer).await.unwrap();
            assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
            // An idle connection may wait for longer than that.
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        let started = Instant::now();
        let mut rest = [0; 1024];
        let closed = loop {
            stream.write_all(b"G").await.ok();
            let read = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut rest)).await;
            if matches!(read, Ok(Ok(0) | Err(_))) {
                break started.elapsed();
            }
            assert!(started.elapsed() < Duration::from_secs(5), "a trickling header was not cut off");
        };
        assert!(closed > Duration::from_millis(300), "cut off after {closed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_must_come_in_time() {
    let mut house = House::start_with("[limits]\nbody_ms_max = 400").await;
    let account = house.account(Status::Active, 10).await;
    for trickles in [false, true] {
        let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
        let key = bearer(&account.key);
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nHost: a\r\nBatch-Size: 3\r\nAuthorization: {key}\r\nContent-Length: 100\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let started = Instant::now();
        while answer.is_empty() && started.elapsed() < Duration::from_secs(5) {
            if trickles {
                stream.write_all(b"x").await.ok();
            }
            tokio::time::timeout(Duration::from_millis(50), stream.read_buf(&mut answer)).await.ok();
        }
        assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
        house.until_remaining(&account, 10).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_can_not_take_all_connections() {
    let house = House::start_with("[limits]\nconnections_per_address_max = 3").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
        stream.write_all(b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        held.push(stream);
    }
    let mut fourth = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    fourth.write_all(b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n").await.ok();
    assert_eq!(fourth.read(&mut [0; 4096]).await.unwrap_or(0), 0, "closed without an answer");
    drop(held);
    crate::house::until("a place is free again", || {
        std::net::TcpStream::connect(("127.0.0.1", house.gateway.port)).is_ok()
    })
    .await;
    assert!(house.gateway.metric("tollgate_gateway_connections_refused_total").await >= 1);
}
