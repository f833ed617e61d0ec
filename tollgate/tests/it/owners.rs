//! Two ledger-syncs share the shards: one stops, dies or falls asleep under load, and nobody loses a credit by it.

use std::time::Duration;

use crate::stack::{Load, Stack};

const CALLERS: usize = 6;
const MOMENT: usize = 40;

/// A call waits a hand-over out, unless the machine has so much else to do that it takes more than 200 ms.
async fn end(stack: &Stack, load: Load) {
    load.wait_served(MOMENT).await;
    let tally = load.stop().await;
    tally.assert_only(&["200", "503 meter_unavailable"]);
    tally.assert_retry_after();
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0);
}

#[tokio::test]
async fn an_owner_that_stops_hands_its_shards_over() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    for victim in [0, 1, 0] {
        load.wait_served(MOMENT).await;
        stack.syncs[victim].program.stop();
        stack.syncs[1 - victim].wait_certified(8).await;
        load.wait_served(MOMENT).await;
        stack.syncs[victim].program.start_again();
        stack.wait_shared().await;
    }
    end(&stack, load).await;
}

#[tokio::test]
async fn an_owner_that_slept_through_its_lease_does_no_harm_when_it_wakes() {
    let stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    for sleeper in [0, 1] {
        load.wait_served(MOMENT).await;
        stack.syncs[sleeper].program.signal("STOP");
        stack.syncs[1 - sleeper].wait_certified(8).await;
        load.wait_served(MOMENT).await;
        stack.syncs[sleeper].program.signal("CONT");
        stack.wait_shared().await;
    }
    end(&stack, load).await;
}

#[tokio::test]
async fn without_any_owner_calls_go_on_and_the_next_one_catches_up() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    for sync in &mut stack.syncs {
        sync.program.kill();
    }
    load.wait_served(200).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    load.wait_served(200).await;
    for sync in &mut stack.syncs {
        sync.program.start_again();
    }
    stack.wait_shared().await;
    end(&stack, load).await;
}
