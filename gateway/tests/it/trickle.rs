//! Thousands of callers who send a byte now and then take nobody's place for long.

use std::time::{Duration, Instant};

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::house::{House, bearer};

const TRICKLERS: usize = 2_000;
/// A header has ten seconds by default; the rest is for a machine that is busy with other tests.
const CLOSED_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_trickling_connections_are_each_cut_off_and_a_good_caller_sees_no_error() {
    // How long Redis may take on a busy machine is not what is asked here.
    let mut house = House::start_with("[meter]\nwait_ms_max = 5000\nop_lifetime_ms = 10000").await;
    let account = house.account(Status::Active, 1_000_000).await;
    let started = Instant::now();
    let mut tricklers = JoinSet::new();
    for number in 0..TRICKLERS {
        tricklers.spawn(trickle(house.gateway.port, number));
    }
    let lines = [("Authorization", &*bearer(&account.key))];
    let mut good = 0;
    let (mut longest, mut cut_off) = (Duration::ZERO, 0);
    while !tricklers.is_empty() {
        assert_eq!(
            house.gateway.send("POST", "/v1/messages", &lines, "{}").await.status,
            200,
            "after {good} good ones"
        );
        good += 1;
        while let Some(held) = tricklers.try_join_next() {
            longest = longest.max(held.unwrap());
            cut_off += 1;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "{} tricklers are left", tricklers.len());
    }
    assert_eq!(cut_off, TRICKLERS);
    assert!(longest < CLOSED_WITHIN, "one was held for {longest:?}");
    assert!(good > 10, "the good caller was served {good} times only");
    house.until_remaining(&account, 1_000_000 - good).await;
}

/// How long it took until the connection was closed.
async fn trickle(port: u16, number: usize) -> Duration {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let started = Instant::now();
    // A third sends nothing, a third an endless method, a third an endless header line.
    let (begin, drip): (&[u8], &[u8]) = match number % 3 {
        0 => (b"", b""),
        1 => (b"", b"G"),
        _ => (b"GET /open HTTP/1.1\r\nHost: a\r\nX-More: ", b"x"),
    };
    stream.write_all(begin).await.unwrap();
    let mut answer = [0; 64];
    loop {
        stream.write_all(drip).await.ok();
        let read = tokio::time::timeout(Duration::from_millis(500), stream.read(&mut answer)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            return started.elapsed();
        }
    }
}
