//! Thousands of callers who send a byte now and then take nobody's place for long.

use std::time::{Duration, Instant};

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::house::{House, bearer};

const TRICKLERS: usize = 2_000;
const HEADER_MAX: Duration = Duration::from_secs(4);
/// The machine may be busy with other tests; what must not happen is that a byte now and then buys more time.
const SLACK: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_trickling_connections_are_each_cut_off_and_a_good_caller_sees_no_error() {
    // How long Redis may take on a busy machine is not what is asked here.
    let settings = format!(
        "[meter]\nwait_ms_max = 5000\nop_lifetime_ms = 10000\n[limits]\nheader_ms_max = {}",
        HEADER_MAX.as_millis()
    );
    let mut house = House::start_with(&settings).await;
    let account = house.account(Status::Active, 1_000_000).await;
    let started = Instant::now();
    let mut tricklers = JoinSet::new();
    for number in 0..TRICKLERS {
        tricklers.spawn(trickle(house.gateway.port, number));
    }
    let lines = [("Authorization", &*bearer(&account.key))];
    let mut good = 0;
    let mut longest = Duration::ZERO;
    while !tricklers.is_empty() {
        assert_eq!(
            house.gateway.send("POST", "/v1/messages", &lines, "{}").await.status,
            200,
            "after {good} good ones"
        );
        good += 1;
        while let Some(held) = tricklers.try_join_next() {
            longest = longest.max(held.unwrap());
        }
        assert!(started.elapsed() < Duration::from_mins(1), "{} tricklers are left", tricklers.len());
    }
    assert!(longest < HEADER_MAX + SLACK, "one was held for {longest:?}");
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
