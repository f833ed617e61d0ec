//! The store's clock jumps an hour back and a day on, and shows the right time again: callers are served, and nobody pays twice.

use std::time::{Duration, Instant};

use metering::testing::turnable;

use crate::stack::{Call, Plan, SHORT_LEASES, Stack, wait_until};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;
const CALLERS: usize = 6;
const MOMENT: usize = 40;
/// A debit that is under way while the clock jumps on is too late. Then all wait for their owner's next note: for the shard it was silent for
/// a day, longer than what is not in the book may age.
const SERVED_AGAIN: Duration = Duration::from_secs(5);
/// Gateways that wait for Redis as a busy machine needs, but ask for debits that must happen soon: as shipped, a clock that is wrong by more
/// than seconds shows.
const SOON: &str = "meter.wait_ms_max = 20000\nmeter.op_lifetime_ms = 3000";

#[tokio::test]
async fn a_store_whose_clock_jumps_goes_on_serving_and_nobody_pays_twice() {
    let Some(redis) = turnable() else { return };
    let plan = Plan { gateways: 2, syncs: 2, redis, gateway_settings: SOON, ..Plan::default() };
    let stack = Stack::with(plan).await;
    let ada = stack.customer(100_000).await;
    stack.grant(ada.account, 50_000, 12 * 3_600_000).await;
    stack.wait_carried().await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    let mut jumps_on = Vec::new();
    for seconds in [-HOUR_S, 0, DAY_S, 0, -HOUR_S, DAY_S, 0] {
        let turned = Instant::now();
        stack.redis.turn_clock(seconds);
        load.wait_served(MOMENT).await;
        assert!(turned.elapsed() < SERVED_AGAIN, "{seconds}: {:?}", turned.elapsed());
        if seconds == DAY_S {
            jumps_on.push(turned);
        }
    }
    let tally = load.stop().await;
    tally.assert_only(&["200", "503 meter_unavailable"]);
    tally.assert_retry_after();
    for reply in tally.replies.iter().filter(|reply| reply.what != "200") {
        let after_a_jump_on = |turned: &Instant| reply.at >= *turned && reply.at - *turned < SERVED_AGAIN;
        assert!(jumps_on.iter().any(after_a_jump_on), "{reply:?} of {:?}", tally.by_answer());
    }
    // Its shard is a day ahead now. Gateways ask the store for its time every second, and are not misled by it.
    let load = stack.load(&ada, CALLERS);
    let begun = Instant::now();
    wait_until("gateways have asked for the time three times", async || begun.elapsed() > Duration::from_secs(3)).await;
    let later = load.stop().await;
    later.assert_only(&["200"]);
    // The lot that ended in the meantime is not revived.
    let dated = stack.book.number("SELECT original - remaining FROM lots WHERE original = 50000").await;
    let answer = stack.send(&ada.key, Call::chat()).await;
    assert_eq!(answer.status, 200);
    assert!(stack.remaining(&ada).await < 100_000, "the lot of a month pays");
    let totals = stack.audit().await;
    assert_eq!(totals.standing(), tally.served() + later.served() + 1, "{totals:?}");
    assert!(stack.served_without_debit(&tally).await.is_empty() && stack.served_without_debit(&later).await.is_empty());
    assert!(stack.refused_with_debit(&tally).await.is_empty());
    assert_eq!(stack.book.number("SELECT original - remaining FROM lots WHERE original = 50000").await, dated);
    assert_eq!(stack.rebuilds().await, 0);
}

#[tokio::test]
async fn a_store_whose_clock_is_wrong_is_certified_when_it_is_right_again() {
    let Some(redis) = turnable() else { return };
    let stack = Stack::with(Plan { redis, sync_settings: SHORT_LEASES, ..Plan::default() }).await;
    let ada = stack.customer(100).await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    stack.redis.turn_clock(-HOUR_S);
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200, "what is certified stays so");
    stack.redis.command(&["SCRIPT", "FLUSH"]);
    let sync = &stack.syncs[0].program;
    wait_until("all shards stand", async || sync.metric("tollgate_sync_shard_broken").await == 8).await;
    assert!(sync.metric("tollgate_sync_clock_skew_ms").await > 3_500_000);
    let said = "the clocks of redis and postgres are 3";
    assert!(sync.log().contains(said) && sync.log().contains("set them right"), "an operator is told");
    let answer = stack.send(&ada.key, Call::chat()).await;
    assert_eq!((answer.problem().as_str(), answer.number("retry-after")), ("503 meter_unavailable", Some(1)));
    assert_eq!(stack.send(&ada.key, Call::get("/v1/usage")).await.status, 200, "free routes go on");
    stack.redis.turn_clock(0);
    let right = Instant::now();
    wait_until("callers are served", async || stack.send(&ada.key, Call::chat()).await.status == 200).await;
    assert!(right.elapsed() < Duration::from_secs(10), "owners look every five seconds: {:?}", right.elapsed());
    wait_until("no shard stands", async || sync.metric("tollgate_sync_shard_broken").await == 0).await;
    assert_eq!(stack.audit().await.standing(), 3);
    assert_eq!(stack.rebuilds().await, 0);
}
