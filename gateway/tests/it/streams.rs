//! Streams: passed on as they come, one draw each, and charged by how they end.

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{Account, House, bearer};

async fn open(house: &House, account: &Account, path: &str, order: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    let key = bearer(&account.key);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nX-Do: {order}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(text) {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "no {text} in {}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_event_arrives_before_the_upstream_ends() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    for order in ["sse", "sse-chunked"] {
        let before = house.remaining(&account).await;
        let mut stream = open(&house, &account, "/v1/stream", order).await;
        // The upstream says no more until it is told to: what is read now was not held back.
        let head = read_until(&mut stream, "data: 1").await;
        assert!(head.to_ascii_lowercase().contains(&format!("credits-remaining: {}", before - 1)), "{head}");
        house.upstream.go_on();
        read_until(&mut stream, "data: {}").await;
        house.until_remaining(&account, before - 1).await;
    }
    crate::house::until("both log lines", || house.gateway.request_lines().len() == 2).await;
    assert_eq!(house.remaining(&account).await, 8, "one draw for each stream, and both ended well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_cleanly_without_its_last_event_is_given_back() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    assert_eq!(house.message(&account, "sse-clean-cut").await.status, 200);
    house.until_remaining(&account, 10).await;
    // The route that gives nothing back has the same last event.
    let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", "sse-clean-cut")];
    house.gateway.send("POST", "/v1/keeps", &lines, "{}").await;
    // JSON has no last event.
    house.message(&account, "").await;
    house.until_remaining(&account, 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_pays_once_the_upstream_was_reached() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let mut stream = open(&house, &account, "/v1/messages", "sse-endless").await;
    read_until(&mut stream, "data: x").await;
    drop(stream);
    // And before the upstream has answered.
    let stream = open(&house, &account, "/v1/messages", "silence").await;
    crate::house::until("both requests upstream", || house.upstream.seen().len() == 2).await;
    drop(stream);
    crate::house::until("both log lines", || house.gateway.request_lines().len() == 2).await;
    for line in house.gateway.request_lines() {
        assert_eq!(
            (line["credits"].as_u64(), line["fault"].as_str()),
            (Some(1), Some("caller: ConnectionClosed")),
            "{line}"
        );
    }
    assert_eq!(house.remaining(&account).await, 8);
}
