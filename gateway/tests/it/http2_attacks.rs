//! HTTP/2 as attackers speak it: memory stays bounded, and other callers are answered.

use std::time::{Duration, Instant};

use metering::Status;
use tokio::task::JoinSet;

use crate::house::http2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM, frame, literal, request, text,
};
use crate::house::{Account, House, PATIENCE, bearer};

const GROWTH_MAX: u64 = 64 << 20;
const CREDITS: u64 = 100_000;

/// Runs an attack next to a good caller, and sees that neither memory nor the other callers suffer.
async fn under_attack<F: Future<Output = u64> + Send + 'static>(
    name: &str,
    attack: impl FnOnce(u16, String) -> F,
) -> (House, Account) {
    let mut house = House::start_with("[http2]\nplain = true").await;
    let account = house.account(Status::Active, CREDITS).await;
    house.warm(&account).await;
    let calm = slowest_of_most(&mut good_calls(&house, 300).await);
    let before = house.gateway.memory_bytes();
    let mut attackers = JoinSet::new();
    attackers.spawn(attack(house.gateway.port, bearer(&account.key)));
    let (mut highest, mut during, mut sent) = (before, Vec::new(), 0);
    while !attackers.is_empty() {
        during.extend(good_calls(&house, 10).await);
        highest = highest.max(house.gateway.memory_bytes());
        while let Some(ended) = attackers.try_join_next() {
            sent += ended.unwrap();
        }
    }
    let (calls, attacked, growth) = (during.len(), slowest_of_most(&mut during), highest - before);
    println!("{name}: {sent} sent, {growth} bytes more, 99 % of {calls} calls within {attacked:?}, {calm:?} in calm");
    assert!(growth < GROWTH_MAX, "{name}: memory grew by {growth} bytes");
    // Attacker, gateway, Redis and upstream share the machine's few cores, so this only sees that nobody starves.
    assert!(attacked < calm * 20 + Duration::from_millis(500), "{name}: {attacked:?}, {calm:?} in calm");
    (house, account)
}

/// How long each of so many good calls took.
async fn good_calls(house: &House, count: usize) -> Vec<Duration> {
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        let answer = house.gateway.send("GET", "/open", &[], "").await;
        assert_eq!(answer.status, 200);
        took.push(started.elapsed());
    }
    took
}

fn slowest_of_most(took: &mut [Duration]) -> Duration {
    took.sort_unstable();
    took[(took.len() - 1) * 99 / 100]
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_streams_that_are_reset_at_once_do_not_harm_others() {
    let (house, account) = under_attack("rapid reset", |port, key| async move {
        let block = [request("GET", "/v1/priced"), literal("authorization", &key)].concat();
        let (mut streams, mut connections) = (0, 0);
        while streams < 10_000 {
            let mut frames = Frames::connect(port).await;
            connections += 1;
            for number in 0..10_000 {
                let opened = frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &block);
                let reset = frame(RST_STREAM, 0, number * 2 + 1, &8_u32.to_be_bytes());
                if streams == 10_000 || !frames.write(&[opened, reset].concat()).await {
                    break;
                }
                streams += 1;
            }
        }
        println!("rapid reset took {connections} connections");
        streams
    })
    .await;
    // Each of them paid for itself once at most, and for all that the upstream was asked.
    let started = Instant::now();
    while house.gateway.metric("tollgate_gateway_requests_in_flight").await > 0 {
        assert!(started.elapsed() < PATIENCE, "requests whose stream was reset go on");
    }
    let asked = house.upstream.seen().iter().filter(|seen| seen.line().contains("/v1/priced")).count() as u64;
    let drawn = CREDITS - house.remaining(&account).await;
    assert!((asked..=10_000).contains(&drawn), "{drawn} drawn for {asked} at the upstream");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_never_ends_ends_its_connection() {
    under_attack("continuation flood", |port, _| async move {
        let more = frame(CONTINUATION, 0, 1, &literal("x-more", &"x".repeat(16_000)));
        let mut taken = 0;
        for _ in 0..100 {
            let mut frames = Frames::connect(port).await;
            frames.write(&frame(HEADERS, END_STREAM, 1, &request("GET", "/open"))).await;
            let mut sent = 0;
            while sent < 10_000 && frames.write(&more).await {
                sent += 1;
            }
            assert!(sent < 10_000 && frames.until_closed().await, "an endless header was listened to");
            taken += sent;
        }
        taken
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_header_that_unpacks_to_megabytes_is_not_unpacked() {
    under_attack("HPACK bomb", |port, _| async move {
        // One line of 4 kB goes into the table, and then it is named by its number, a byte each time: 64 MB a header.
        let planted = [&[0x40][..], &text("x-bomb"), &text(&"x".repeat(3_900))].concat();
        let planted = [request("GET", "/open"), planted].concat();
        let bomb = [request("GET", "/open"), vec![0xbe; 16_000]].concat();
        let mut bombs = 0;
        for _ in 0..10 {
            let mut frames = Frames::connect(port).await;
            frames.write(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &planted)).await;
            for number in 1..100_u32 {
                if !frames.write(&frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &bomb)).await {
                    break;
                }
                bombs += 1;
            }
        }
        bombs
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_frames_of_data_end_their_connection() {
    under_attack("empty DATA", |port, key| async move {
        let block = [request("POST", "/v1/messages"), literal("authorization", &key)].concat();
        let many = frame(DATA, 0, 1, &[]).repeat(1_000);
        let mut taken = 0;
        for _ in 0..20 {
            let mut frames = Frames::connect(port).await;
            frames.write(&frame(HEADERS, END_HEADERS, 1, &block)).await;
            let mut sent = 0;
            while sent < 1_000 && frames.write(&many).await {
                sent += 1;
            }
            assert!(sent < 1_000 && frames.until_closed().await, "a million empty frames were taken");
            taken += sent;
        }
        taken
    })
    .await;
}
