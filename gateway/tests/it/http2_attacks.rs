//! HTTP/2 as attackers speak it: memory stays bounded, every connection of theirs ends, and other callers are answered.

use std::time::{Duration, Instant};

use metering::Status;
use tokio::task::JoinSet;

use crate::attacks::{Attack, Pace, opened, reset};
use crate::house::http2::{Frames, literal, request};
use crate::house::{Account, House, PATIENCE, bearer};

const GROWTH_MAX: u64 = 64 << 20;
const CREDITS: u64 = 100_000;

/// How much of an attack, over how many connections at least.
struct Force {
    attack: Attack,
    units: usize,
    connections: usize,
    units_a_connection: usize,
    /// Whether that many end the connection.
    ends: bool,
}

/// Runs an attack next to a good caller, and sees that neither memory nor the other callers suffer.
async fn under_attack(force: Force) -> (House, Account) {
    let mut house = House::start_with("[http2]\nplain = true").await;
    let account = house.account(Status::Active, CREDITS).await;
    house.warm(&account).await;
    let before = house.gateway.memory_bytes();
    let (name, port, key) = (force.attack, house.gateway.port, bearer(&account.key));
    let mut attackers = JoinSet::new();
    attackers.spawn(async move {
        let (mut sent, mut connections) = (0, 0);
        while sent < force.units || connections < force.connections {
            let most = force.units_a_connection.min(force.units.saturating_sub(sent).max(1));
            let (units, ended) = force.attack.connection(port, &key, most, &mut Pace::unbounded()).await;
            let whole = most == force.units_a_connection;
            assert!(ended || !force.ends || !whole, "{name:?}: {units} on one connection, which lives");
            sent += units;
            connections += 1;
        }
        (sent, connections)
    });
    let (mut highest, mut calls, mut slowest, mut sent) = (before, 0, Duration::ZERO, (0, 0));
    while !attackers.is_empty() {
        let started = Instant::now();
        assert_eq!(house.gateway.send("GET", "/open", &[], "").await.status, 200, "{name:?}: a good caller");
        slowest = slowest.max(started.elapsed());
        calls += 1;
        highest = highest.max(house.gateway.memory_bytes());
        while let Some(ended) = attackers.try_join_next() {
            sent = ended.unwrap();
        }
    }
    let growth = highest - before;
    println!(
        "{name:?}: {sent:?} units and connections, {growth} bytes more, {calls} good calls, {slowest:?} the slowest"
    );
    assert!(growth < GROWTH_MAX, "{name:?}: memory grew by {growth} bytes");
    // How much slower others get is measured by `cargo dev hostile`; here nobody may starve.
    assert!(slowest < PATIENCE, "{name:?}: a good caller waited {slowest:?}");
    (house, account)
}

/// Nothing of it goes on; and what was drawn is what the upstream was asked, or less was asked.
async fn nothing_is_owed(house: &House, account: &Account) {
    let started = Instant::now();
    while house.gateway.metric("tollgate_gateway_requests_in_flight").await > 0 {
        assert!(started.elapsed() < PATIENCE, "requests whose stream was reset go on");
    }
    let priced = |line: &str| line.contains("/v1/priced") || line.contains("/v1/messages");
    let asked = house.upstream.seen().iter().filter(|seen| priced(seen.line())).count() as u64;
    let drawn = CREDITS - house.remaining(account).await;
    assert!((asked..=10_000).contains(&drawn), "{drawn} drawn for {asked} at the upstream");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_streams_that_are_reset_at_once_do_not_harm_others() {
    let force =
        Force { attack: Attack::RapidReset, units: 10_000, connections: 2, units_a_connection: 10_000, ends: true };
    let (house, account) = under_attack(force).await;
    nothing_is_owed(&house, &account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_streams_that_are_reset_while_they_are_served_do_not_harm_others() {
    let force =
        Force { attack: Attack::LateReset, units: 10_000, connections: 2, units_a_connection: 10_000, ends: true };
    let (house, account) = under_attack(force).await;
    nothing_is_owed(&house, &account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_streams_that_the_gateway_is_made_to_reset_do_not_harm_others() {
    let force =
        Force { attack: Attack::ProvokedReset, units: 10_000, connections: 2, units_a_connection: 10_000, ends: true };
    let (house, account) = under_attack(force).await;
    nothing_is_owed(&house, &account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_streams_that_are_reset_after_the_upstream_had_them_end_their_connection() {
    /// Streams that live at once; h2 itself forgets one as soon as the gateway serves it.
    const TOGETHER: u32 = 50;
    let mut house =
        House::start_with("[http2]\nplain = true\n[meter]\nwait_ms_max = 5000\nop_lifetime_ms = 10000").await;
    let account = house.account(Status::Active, CREDITS).await;
    let lines = [literal("authorization", &bearer(&account.key)), literal("x-do", "silence")];
    let block = [request("GET", "/v1/priced"), lines.concat()].concat();
    let mut frames = Frames::connect(house.gateway.port).await;
    let mut served = 0;
    loop {
        let streams: Vec<u32> = (served..served + TOGETHER).map(|number| number * 2 + 1).collect();
        frames.write(&streams.iter().flat_map(|stream| opened(*stream, &block)).collect::<Vec<u8>>()).await;
        let awaited = usize::try_from(served + TOGETHER).unwrap();
        tokio::select! {
            () = house.upstream.until_seen(awaited) => served += TOGETHER,
            ended = frames.until_closed() => break assert!(ended, "neither served nor ended"),
        }
        frames.write(&streams.iter().flat_map(|stream| reset(*stream)).collect::<Vec<u8>>()).await;
        assert!(served < 5_000, "{served} streams were served and reset on one connection");
    }
    assert!(served >= 500, "an honest caller may call off {served} at least");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_never_ends_ends_its_connection() {
    under_attack(Force {
        attack: Attack::EndlessHeader,
        units: 0,
        connections: 100,
        units_a_connection: 10_000,
        ends: true,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_header_that_unpacks_to_megabytes_is_not_unpacked() {
    under_attack(Force {
        attack: Attack::HeaderBomb,
        units: 990,
        connections: 10,
        units_a_connection: 99,
        ends: false,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_frames_of_data_end_their_connection() {
    under_attack(Force { attack: Attack::EmptyData, units: 0, connections: 20, units_a_connection: 1_000, ends: true })
        .await;
}
