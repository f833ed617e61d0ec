//! `kill -9` under load: of a gateway, a ledger-sync, Redis, Postgres, and of everything at once. Afterwards each call that was
//! served has its one debit in the book, no other has any, and live state is what the book says.

use std::time::Duration;

use crate::stack::{AS_SHIPPED, Load, Plan, SHORT_LEASES, Stack, Tally};

const CALLERS: usize = 12;
/// Calls served between two kills: enough that some are under way at any moment.
const BETWEEN: usize = 60;

/// Two of each program, a Redis that loses nothing it has answered, a Postgres that may be killed.
async fn pairs_that_can_die() -> Stack {
    let plan = Plan { gateways: 2, syncs: 2, appendfsync: "always", own_postgres: true, ..Plan::default() };
    Stack::with(Plan { gateway_settings: AS_SHIPPED, sync_settings: SHORT_LEASES, ..plan }).await
}

/// What callers may see is one of these; the book agrees with what they saw; nothing was built anew.
async fn end(stack: &Stack, load: Load, allowed: &[&str]) -> Tally {
    load.wait_served(BETWEEN).await;
    let tally = load.stop().await;
    tally.assert_only(allowed);
    tally.assert_retry_after();
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0, "nothing was lost, so nothing had to be built anew");
    tally
}

#[tokio::test]
async fn a_gateway_killed_under_load() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(1_000_000).await;
    let load = stack.load(&ada, CALLERS);
    for victim in [0, 1, 0] {
        load.wait_served(BETWEEN).await;
        stack.gateways[victim].program.kill();
        load.wait_served(BETWEEN).await;
        stack.gateways[victim].program.start_again();
        stack.gateways[victim].program.wait_ready().await;
    }
    let tally = end(&stack, load, &["200", "503 meter_unavailable", "broken"]).await;
    assert!(tally.count("broken") > 0, "somebody must have been cut off");
}

#[tokio::test]
async fn a_ledger_sync_killed_under_load() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(1_000_000).await;
    let load = stack.load(&ada, CALLERS);
    for victim in [0, 1] {
        load.wait_served(BETWEEN).await;
        stack.syncs[victim].program.kill();
        let other = &stack.syncs[1 - victim];
        other.wait_certified(8).await;
        load.wait_served(BETWEEN).await;
        stack.syncs[victim].program.start_again();
        stack.wait_shared().await;
    }
    // A call waits a hand-over out, unless the machine has so much else to do that it takes more than 200 ms.
    end(&stack, load, &["200", "503 meter_unavailable"]).await;
}

#[tokio::test]
async fn redis_killed_under_load() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(1_000_000).await;
    let load = stack.load(&ada, CALLERS);
    for pause_ms in [0, 300] {
        load.wait_served(BETWEEN).await;
        stack.redis.kill();
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        stack.redis.start_again();
        load.wait_served(BETWEEN).await;
    }
    let tally = end(&stack, load, &["200", "503 meter_unavailable"]).await;
    assert!(tally.count("503 meter_unavailable") > 0, "somebody must have been turned away");
}

#[tokio::test]
async fn postgres_killed_under_load() {
    let mut stack = pairs_that_can_die().await;
    let ada = stack.customer(1_000_000).await;
    let load = stack.load(&ada, CALLERS);
    for _ in 0..2 {
        load.wait_served(BETWEEN).await;
        stack.postgres.as_mut().unwrap().kill();
        load.wait_served(BETWEEN).await;
        stack.postgres.as_mut().unwrap().start_again().await;
        load.wait_served(BETWEEN).await;
    }
    end(&stack, load, &["200", "503 meter_unavailable"]).await;
}

#[tokio::test]
async fn everything_killed_at_once_under_load() {
    let mut stack = pairs_that_can_die().await;
    let ada = stack.customer(1_000_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(BETWEEN).await;
    for gateway in &mut stack.gateways {
        gateway.program.kill();
    }
    stack.redis.kill();
    for sync in &mut stack.syncs {
        sync.program.kill();
    }
    stack.postgres.as_mut().unwrap().kill();
    // They come back in the worst order: those who need the others first.
    for gateway in &mut stack.gateways {
        gateway.program.start_again();
    }
    for sync in &mut stack.syncs {
        sync.program.start_again();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stack.redis.start_again();
    stack.postgres.as_mut().unwrap().start_again().await;
    let tally = end(&stack, load, &["200", "503 meter_unavailable", "broken"]).await;
    assert!(tally.count("broken") > 0, "somebody must have been cut off");
}
