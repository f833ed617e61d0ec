//! Sizes and times: who sends too much, or too slowly, is let go.

use std::time::Duration;

use metering::Status;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, Plan};

/// Writes bytes, keeps the connection open, and reads until the other side has answered or closes it.
async fn raw(house: &House, bytes: &[u8]) -> String {
    let address = house.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await; // who is refused early may not be heard out
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut answer)).await;
    let read = read.expect("an answer or an end, within its limits").unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn a_header_that_is_too_large_or_too_slow_is_not_waited_for() {
    let house = House::with(Plan { settings: "limits.header_ms_max = 300", ..Plan::default() }).await;
    let slow = raw(&house, b"GET / HTTP/1.1\r\nHost: x\r\nCook").await;
    assert!(slow.is_empty() || slow.starts_with("HTTP/1.1 408 "), "{slow}");
    let huge = [&b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a="[..], &vec![b'x'; 300_000][..], b"\r\n\r\n"].concat();
    let huge = raw(&house, &huge).await;
    assert!(huge.is_empty() || huge.starts_with("HTTP/1.1 431 "), "{huge}");
    let large = [&b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a="[..], &vec![b'x'; 30_000][..], b"\r\n\r\n"].concat();
    let large = raw(&house, &large).await;
    assert!(large.starts_with("HTTP/1.1 303 "), "other services' cookies are no fault of the caller: {large}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_and_one_that_does_not_come_is_503() {
    let settings = "limits.request_ms_max = 400\nlimits.body_bytes_max = 2000";
    let house = House::with(Plan { settings, ..Plan::default() }).await;
    let account = house.account("Ann", Status::Active, 10).await;
    let ann = house.person(account, "billing_owner");
    let huge = "1".repeat(3_000);
    let form = house.form(&ann, "/billing/budget", &[("limit", &huge)]).await;
    assert_eq!(form.refused_page(), "413 body_too_large");
    let api = house.ask(Method::PUT, "/api/billing/budget").of(&ann).body("application/json", huge).send().await;
    assert_eq!(api.problem(), "413 body_too_large");
    let wrong = house.ask(Method::PUT, "/api/billing/budget").of(&ann).body("text/plain", "{}").send().await;
    assert_eq!(wrong.problem(), "415 unsupported_media_type");
    let broken = house.ask(Method::PUT, "/api/billing/budget").of(&ann).body("application/json", "{").send().await;
    assert_eq!(broken.problem(), "400 bad_request");

    let slow = format!(
        "PUT /api/billing/budget HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\
         Cookie: __Host-tollgate-session={}\r\n\r\n{{\"lim",
        ann.session
    );
    let slow = raw(&house, slow.as_bytes()).await;
    assert!(slow.starts_with("HTTP/1.1 503 ") && slow.contains("too_slow"), "{slow}");
}
