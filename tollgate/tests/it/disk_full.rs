//! The disk of Redis is full: nobody is served unmetered, nothing that was answered is lost, and when there is room everything goes on.

use std::time::{Duration, Instant};

use metering::live::Place;
use tokio::task::JoinSet;

use crate::losses::{all_is_posted, the_report_is_exact};
use crate::stack::{AS_SHIPPED, Call, Customer, Load, PATIENCE, Plan, SHORT_LEASES, Stack, Tally, credits, wait_until};

const CALLERS: usize = 6;
const MOMENT: usize = 40;
/// Short enough to come in the middle of what one debit writes.
const BYTES_LEFT: u64 = 100;

/// Two of each program as they are shipped, on a Redis that answers before it writes.
async fn pairs() -> Stack {
    let plan = Plan { gateways: 2, syncs: 2, gateway_settings: AS_SHIPPED, ..Plan::default() };
    Stack::with(Plan { sync_settings: SHORT_LEASES, ..plan }).await
}

/// Until Redis has found out, so that it refuses every write.
async fn redis_takes_nothing_more(stack: &Stack) {
    let place = Place::new(&stack.redis.url());
    wait_until("Redis refuses to write", async || {
        let refused = stack.redis.try_command(&place, &["SET", "filler", "x"]);
        refused.is_err_and(|why| why.contains("MISCONF"))
    })
    .await;
}

/// Priced ones, by every gateway.
async fn calls_are_turned_away(stack: &Stack, ada: &Customer) {
    for gateway in 0..stack.gateways.len() {
        let answer = stack.send(&ada.key, Call::chat().via(gateway)).await;
        assert_eq!((answer.problem().as_str(), answer.number("retry-after")), ("503 meter_unavailable", Some(1)));
        let free = stack.send(&ada.key, Call::get("/v1/usage").via(gateway)).await;
        assert_eq!(free.status, 200, "free routes go on");
    }
}

async fn end(load: Load) -> Tally {
    load.wait_served(MOMENT).await;
    let tally = load.stop().await;
    tally.assert_only(&["200", "503 meter_unavailable"]);
    tally.assert_retry_after();
    tally
}

/// Epochs rise with each owner.
async fn epochs(stack: &Stack) -> i64 {
    stack.book.number("SELECT sum(epoch)::bigint FROM shards").await
}

async fn metric(stack: &Stack, name: &str) -> i64 {
    let mut sum = 0;
    for sync in &stack.syncs {
        sum += sync.program.metric(name).await;
    }
    sum
}

/// Its owners say why nothing can be written, and keep their shards.
async fn owners_say_what_is_wrong(stack: &Stack) {
    wait_until("no shard is certified", async || metric(stack, "tollgate_sync_shard_certified").await == 0).await;
    assert_eq!(metric(stack, "tollgate_sync_shard_owned").await, 8);
    for sync in &stack.syncs {
        let (_, ready) = sync.program.readiness().await;
        assert!(ready.contains("\"ready\":false") && ready.contains("\"certifying\""), "{ready}");
        let log = sync.program.log();
        let mut said = log.lines().filter(|line| line.contains("is interrupted: live state must be certified again"));
        assert!(said.any(|line| line.contains("MISCONF") && line.contains("Errors writing to the AOF file")), "{log}");
    }
}

/// A call that has drawn, and fails after two seconds.
async fn fails_later(stack: &Stack, ada: &Customer) -> JoinSet<u16> {
    let (http, urls, key) = (stack.http.clone(), stack.urls(), ada.key.clone());
    let call = Call::batch(7).fault("delay=2000, status=500");
    let mut calls = JoinSet::new();
    calls.spawn(async move { call.request(&http, &urls, Some(&key)).send().await.unwrap().status().as_u16() });
    wait_until("it has drawn", async || {
        stack.book.number("SELECT count(*) FROM entries WHERE kind = 'debit' AND credits = -7").await == 1
    })
    .await;
    calls
}

#[tokio::test]
async fn a_full_disk_turns_callers_away_and_loses_nothing_of_what_was_answered() {
    let stack = pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    let mut failing = fails_later(&stack, &ada).await;
    let owners = epochs(&stack).await;
    stack.redis.fill_disk(BYTES_LEFT);
    redis_takes_nothing_more(&stack).await;
    calls_are_turned_away(&stack, &ada).await;
    assert_eq!(failing.join_next().await.unwrap().unwrap(), 500);
    assert!(stack.gateway_metric("tollgate_gateway_restitutions_open").await >= 1, "it can't be given back now");
    owners_say_what_is_wrong(&stack).await;
    stack.set_budget(ada.account, 90_000).await; // the book takes it; live state can't be told
    stack.redis.make_room();
    let tally = end(load).await;
    let totals = stack.audit_calls(&tally).await;
    assert!(totals.give_backs >= 1, "what failed meanwhile was given back");
    assert_eq!(stack.meter.snapshot(ada.account).await.unwrap().unwrap().budget_limit, credits(90_000));
    assert_eq!((stack.rebuilds().await, epochs(&stack).await), (0, owners), "nothing was lost, and owners stayed");
}

#[tokio::test]
async fn a_redis_that_ends_with_its_disk_full_goes_on_where_it_was() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    for _ in 0..3 {
        load.wait_served(MOMENT).await;
        stack.redis.fill_disk(BYTES_LEFT);
        let started = Instant::now();
        while !stack.redis.has_ended() {
            assert!(started.elapsed() < PATIENCE, "Redis goes on with a full disk");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        calls_are_turned_away(&stack, &ada).await;
        stack.redis.start_again();
    }
    let tally = end(load).await;
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0);
}

#[tokio::test]
async fn a_redis_killed_with_its_disk_full_loses_what_the_report_says() {
    let sync_settings = "lease.duration_ms = 60000\njournal.return_grace_ms = 500";
    let plan = Plan { gateways: 2, gateway_settings: AS_SHIPPED, sync_settings, ..Plan::default() };
    let mut stack = Stack::with(plan).await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    stack.redis.fill_disk(BYTES_LEFT);
    redis_takes_nothing_more(&stack).await;
    calls_are_turned_away(&stack, &ada).await;
    stack.redis.start_again();
    let tally = end(load).await;
    stack.audit().await;
    let paid = stack.refused_with_debit(&tally).await;
    assert!(paid.is_empty(), "refused calls have paid: {paid:?}");
    all_is_posted(&mut stack).await;
    let lost = the_report_is_exact(&stack, &[(&ada, &tally)]).await;
    assert!(
        lost <= CALLERS as u64,
        "{lost} were lost: each caller has one call at a time, and then writes are refused"
    );
}
