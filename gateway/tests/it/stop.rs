//! The end of the process: quick when idle, patient with requests in flight, and nobody pays for what it cut.

use std::time::{Duration, Instant};

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{Account, House, bearer};

async fn open(house: &House, account: &Account, order: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    let key = bearer(&account.key);
    let head = format!(
        "POST /v1/stream HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nX-Do: {order}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(4).any(|window| window == b"data") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
    }
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_gateway_stops_at_once() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    // A keep-alive connection is no reason to wait.
    let mut idle = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    idle.write_all(b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(idle.read(&mut [0; 4096]).await.unwrap() > 0);
    house.message(&account, "").await;
    house.gateway.signal("TERM");
    let told = Instant::now();
    let status = house.gateway.until_gone(Duration::from_secs(8)).await.expect("it ends");
    assert!(status.success() && told.elapsed() < Duration::from_secs(2), "{status} after {:?}", told.elapsed());
    assert!(house.gateway.log().contains("the gateway has stopped"));
    assert_eq!(house.gateway.request_lines().len(), 2, "no line is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_gets_one_more_answer_after_the_stop_was_told() {
    let mut house = House::start_with("[stop]\nkeep_alive_ms = 3000").await;
    let mut kept = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    for (told, header) in [(false, "200 OK"), (true, "Connection: close")] {
        if told {
            house.gateway.signal("TERM");
            crate::house::until("the listener is closed", || {
                std::net::TcpStream::connect(("127.0.0.1", house.gateway.port)).is_err()
            })
            .await;
        }
        kept.write_all(b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            assert!(kept.read_buf(&mut answer).await.unwrap() > 0, "{}", house.gateway.log());
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(header), "{answer}");
    }
    assert_eq!(kept.read(&mut [0; 16]).await.unwrap(), 0, "and then it is closed");
    let told = Instant::now();
    house.gateway.until_gone(Duration::from_secs(8)).await.expect("it ends");
    assert!(told.elapsed() < Duration::from_secs(2), "nobody was left to wait for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_flight_may_end() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let mut stream = open(&house, &account, "sse").await;
    house.gateway.signal("TERM");
    crate::house::until("the listener is closed", || {
        std::net::TcpStream::connect(("127.0.0.1", house.gateway.port)).is_err()
    })
    .await;
    house.upstream.go_on();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("data: {}"), "{rest}\n{}", house.gateway.log());
    assert!(house.gateway.until_gone(Duration::from_secs(8)).await.expect("it ends").success());
    assert_eq!(house.remaining(&account).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_the_stop_cuts_is_given_back() {
    for (signal, grace) in [("TERM", "[stop]\ngrace_seconds = 1"), ("INT", "")] {
        let mut house = House::start_with(grace).await;
        let account = house.account(Status::Active, 10).await;
        let _stream = open(&house, &account, "sse-endless").await;
        house.gateway.signal(signal);
        house.gateway.until_gone(Duration::from_secs(10)).await.expect("it ends");
        house.until_remaining(&account, 10).await;
    }
}
