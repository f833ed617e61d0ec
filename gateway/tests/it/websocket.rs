//! Upgrades to `websocket`: one price for a connection, on routes that take them.

use std::time::{Duration, Instant};

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::http2::Connection;
use crate::house::{Account, House, PATIENCE, bearer, until};

const HANDSHAKE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Opens a connection; its answer's header.
async fn open(house: &House, account: &Account, order: &str, lines: &str) -> (TcpStream, String) {
    let key = bearer(&account.key);
    let request = format!("GET /v1/socket HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nX-Do: {order}\r\n{lines}\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let read = tokio::time::timeout(PATIENCE, stream.read_u8()).await.unwrap();
        head.push(read.unwrap_or_else(|_| panic!("closed after {}", String::from_utf8_lossy(&head))));
    }
    (stream, String::from_utf8(head).unwrap())
}

async fn echo(stream: &mut TcpStream, message: &[u8]) {
    stream.write_all(message).await.unwrap();
    let mut heard = vec![0; message.len()];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(heard, message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_costs_its_price_once_however_much_is_said() {
    let mut house = House::start_with("[limits]\nbody_ms_max = 300").await;
    let account = house.account(Status::Active, 10).await;
    let (mut stream, head) = open(&house, &account, "echo", HANDSHAKE).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for line in ["upgrade: websocket", "credits-cost: 1", "credits-remaining: 9"] {
        assert!(head.to_ascii_lowercase().contains(line), "{line} is missing in {head}");
    }
    let seen = house.upstream.last();
    assert_eq!((seen.values("upgrade"), seen.values("connection")), (vec!["websocket"], vec!["Upgrade"]));
    assert_eq!(seen.values("authorization"), Vec::<&str>::new());
    let started = Instant::now();
    // More than a body may hold, and for longer than one may take.
    while started.elapsed() < Duration::from_millis(700) {
        echo(&mut stream, &[7; 1_000]).await;
    }
    assert_eq!(house.remaining(&account).await, 9);
    drop(stream);
    until("the log line", || house.gateway.request_lines().len() == 1).await;
    let line = &house.gateway.request_lines()[0];
    assert_eq!((line["status"].as_u64(), line["credits"].as_u64()), (Some(101), Some(1)), "{line}");
    house.until_remaining(&account, 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_was_taken_up_is_served_and_one_that_was_not_is_not() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    for (order, status, left) in
        [("status=503", 503, 10), ("silence", 504, 10), ("status=403", 403, 9), ("echo=3", 101, 8), ("echo", 101, 7)]
    {
        let (mut stream, head) = open(&house, &account, order, HANDSHAKE).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{order}: {head}");
        if status == 101 {
            // The upstream breaks off after three bytes, or both sides are silent for too long: the connection ends, without a word.
            echo(&mut stream, b"abc").await;
            let mut rest = Vec::new();
            tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().ok();
            assert_eq!(rest, b"", "{order}");
        }
        house.until_remaining(&account, left).await;
    }
    until("five log lines", || house.gateway.request_lines().len() == 5).await;
    house.until_remaining(&account, 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_is_refused_and_draws_nothing() {
    let mut house = House::start_with("[http2]\nplain = true").await;
    let account = house.account(Status::Active, 10).await;
    for lines in [
        "",
        &HANDSHAKE.replace("websocket", "h2c"),
        &HANDSHAKE.replace("Connection: Upgrade\r\n", ""),
        &HANDSHAKE.replace("13", "8"),
        &HANDSHAKE.replace("dGhl", ""),
        &format!("{HANDSHAKE}Content-Length: 0\r\n"),
        &format!("{HANDSHAKE}Upgrade: h2c\r\n"),
    ] {
        let (_, head) = open(&house, &account, "echo", lines).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{lines}: {head}");
    }
    // An upstream that takes up what nobody asked for has failed.
    assert_eq!(house.message(&account, "echo").await.status, 502);
    house.until_remaining(&account, 10).await;
    // HTTP/2 has no such upgrade.
    let request = http::Request::get("http://a/v1/socket").header("Authorization", bearer(&account.key));
    let told = Connection::plain(house.gateway.port).await.send(request.body(()).unwrap(), "").await.unwrap();
    assert_eq!(told.status(), 400);
    assert_eq!((house.upstream.seen().len(), house.remaining(&account).await), (1, 10));
}
