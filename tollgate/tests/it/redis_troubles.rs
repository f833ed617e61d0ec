//! Redis restarted, emptied, slow, full, absent: who can't be metered is turned away, and what was drawn stays drawn once.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::stack::{Call, Load, Stack, Tally, wait_until};

const CALLERS: usize = 6;
const MOMENT: usize = 40;
/// Between a debit and its place in the book: an interval of the drain and a commit, on a machine with other things to do.
const UNDRAINED_MAX: Duration = Duration::from_secs(2);

async fn end(load: Load) -> Tally {
    load.wait_served(MOMENT).await;
    let tally = load.stop().await;
    tally.assert_only(&["200", "503 meter_unavailable"]);
    tally.assert_retry_after();
    tally
}

#[tokio::test]
async fn redis_restarted_with_its_file_goes_on_where_it_was() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    stack.redis.start_again();
    let tally = end(load).await;
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0);
}

/// What was lost was drawn at the last moment, cost its callers nothing, and is all that is missing.
async fn lost_the_tail_only(stack: &Stack, tally: &Tally, emptied: Instant) {
    let totals = stack.audit().await;
    let lost = stack.served_without_debit(tally).await;
    for reply in &lost {
        let (before, after) =
            (emptied.saturating_duration_since(reply.at), reply.at.saturating_duration_since(emptied));
        assert!(before < UNDRAINED_MAX && after < UNDRAINED_MAX, "{reply:?} was drained long before");
    }
    stack.assert_nobody_else_paid(tally, totals).await;
    assert_eq!(totals.standing() + lost.len(), tally.served(), "{} were lost", lost.len());
    assert_eq!(stack.rebuilds().await, 8, "four shards of accounts and four of keys");
}

#[tokio::test]
async fn redis_restarted_empty_is_built_anew_from_the_book() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    let emptied = Instant::now();
    stack.redis.start_again_empty();
    let tally = end(load).await;
    lost_the_tail_only(&stack, &tally, emptied).await;
    assert_eq!(stack.send(&ada.key, Call::get("/v1/usage")).await.status, 200, "keys are there again");
}

#[tokio::test]
async fn a_redis_that_was_flushed_is_built_anew_from_the_book() {
    let stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    let emptied = Instant::now();
    stack.redis.command(&["FLUSHALL"]);
    let tally = end(load).await;
    lost_the_tail_only(&stack, &tally, emptied).await;
}

#[tokio::test]
async fn an_older_redis_that_was_put_back_is_noticed_and_built_anew() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    stack.redis.kill();
    let (files, older) = (stack.redis.directory().join("appendonlydir"), stack.directory.path().join("older"));
    copy_files(&files, &older);
    stack.redis.start_again();
    load.wait_served(100).await;
    let put_back = Instant::now();
    stack.redis.kill();
    std::fs::remove_dir_all(&files).unwrap();
    copy_files(&older, &files);
    stack.redis.start_again();
    let tally = end(load).await;
    let totals = stack.audit().await;
    let lost = stack.served_without_debit(&tally).await;
    assert!(lost.iter().all(|reply| put_back.saturating_duration_since(reply.at) < UNDRAINED_MAX), "{lost:?}");
    stack.assert_nobody_else_paid(&tally, totals).await;
    assert_eq!(stack.rebuilds().await, 1, "only the shard that went on since then is behind");
}

pub fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_flushed_script_cache_costs_nobody_a_credit() {
    let stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    for _ in 0..3 {
        load.wait_served(MOMENT).await;
        stack.redis.command(&["SCRIPT", "FLUSH"]);
    }
    let tally = end(load).await;
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0);
}

#[tokio::test]
async fn a_debit_whose_answer_came_too_late_is_undone() {
    let stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    let mut unknown = 0;
    for _ in 0..3 {
        load.wait_served(MOMENT).await;
        stack.signal_redis("STOP");
        tokio::time::sleep(Duration::from_millis(700)).await; // longer than a gateway waits
        stack.signal_redis("CONT");
        load.wait_served(MOMENT).await;
        unknown = stack.gateway_metric("tollgate_gateway_restitutions_total").await;
    }
    let tally = end(load).await;
    assert!(unknown > 0, "somebody must have given up waiting");
    let totals = stack.audit_calls(&tally).await;
    assert!(totals.give_backs > 0, "some of them had drawn");
}

#[tokio::test]
async fn a_full_redis_refuses_and_goes_on_when_there_is_room_again() {
    let stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    stack.redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    wait_until("a call is turned away", async || stack.send(&ada.key, Call::chat()).await.status == 503).await;
    assert_eq!(stack.send(&ada.key, Call::get("/v1/usage")).await.status, 200, "free routes go on");
    stack.redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    let tally = end(load).await;
    let totals = stack.audit().await;
    assert!(stack.served_without_debit(&tally).await.is_empty());
    stack.assert_nobody_else_paid(&tally, totals).await;
    assert_eq!(stack.rebuilds().await, 0);
}

#[tokio::test]
async fn without_redis_free_routes_go_on_and_priced_ones_say_when_to_come_again() {
    let mut stack = Stack::start().await;
    let ada = stack.customer(30).await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    stack.redis.kill();
    for _ in 0..5 {
        assert_eq!(stack.send(&ada.key, Call::get("/v1/usage")).await.status, 200, "its key is remembered");
        for call in [Call::chat(), Call::batch(2), Call::get("/v1/credits")] {
            let answer = stack.send(&ada.key, call).await;
            assert_eq!(answer.problem(), "503 meter_unavailable");
            assert_eq!(answer.number("retry-after"), Some(1));
        }
    }
    let sent = stack.upstream.count().await;
    stack.revoke(ada.key_id).await; // while nobody can be told
    stack.redis.start_again();
    let back = Instant::now();
    wait_until("the revoked key is refused", async || stack.send(&ada.key, Call::get("/v1/usage")).await.status == 401)
        .await;
    assert!(back.elapsed() < Duration::from_secs(3), "{:?}", back.elapsed());
    assert_eq!(stack.send(&ada.key, Call::chat()).await.problem(), "401 invalid_api_key");
    assert!(stack.upstream.count().await >= sent);
    assert_eq!(stack.audit().await.standing(), 1);
}

#[tokio::test]
async fn a_gateway_that_starts_before_redis_serves_once_it_is_there() {
    let mut stack = Stack::start().await;
    let ada = stack.customer(30).await;
    stack.redis.kill();
    stack.gateways[0].program.start_again();
    wait_until("the gateway listens", async || {
        Call::chat().request(&stack.http, &stack.urls(), Some(&ada.key)).send().await.is_ok()
    })
    .await;
    for call in [Call::chat(), Call::get("/v1/usage"), Call::get("/v1/credits")] {
        assert_eq!(stack.send(&ada.key, call).await.problem(), "503 meter_unavailable", "no key is known yet");
    }
    stack.redis.start_again();
    wait_until("it serves", async || stack.send(&ada.key, Call::chat()).await.status == 200).await;
    stack.gateways[0].program.wait_ready().await;
    assert_eq!(stack.audit().await.standing(), 1);
}

#[tokio::test]
async fn a_redis_that_was_set_to_forget_is_told_apart_until_it_is_set_right() {
    let stack = Stack::pairs().await;
    let shown = async |name: &str| {
        let mut sum = 0;
        for sync in &stack.syncs {
            sum += sync.program.metric(name).await;
        }
        sum
    };
    assert_eq!(shown("tollgate_sync_shards").await, 16, "each of two owners knows all eight");
    stack.redis.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let unsafe_shards = async |count| shown("tollgate_sync_shard_redis_unsafe").await == count;
    wait_until("every shard of accounts stands", async || unsafe_shards(4).await).await;
    assert_eq!(shown("tollgate_sync_shard_broken").await, 4);
    stack.redis.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    wait_until("none does", async || unsafe_shards(0).await && shown("tollgate_sync_shard_broken").await == 0).await;
}
