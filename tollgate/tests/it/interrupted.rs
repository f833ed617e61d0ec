//! What is under way when something breaks: give-backs whose debit is of another time, connections cut in the middle.

use std::time::Duration;

use crate::stack::{Call, Plan, SHORT_LEASES, Stack, wait_until};

const CALLERS: usize = 8;
const MOMENT: usize = 40;

/// A call that draws now and fails two seconds later.
fn fails_later() -> Call {
    Call::batch(7).fault("delay=2000, status=500")
}

#[tokio::test]
async fn a_give_back_that_comes_after_live_state_was_built_anew_is_decided_by_the_book() {
    let stack = Stack::pairs().await;
    let ada = stack.customer(100).await;
    let calls = async {
        let answer = stack.send(&ada.key, fails_later()).await;
        assert_eq!(answer.status, 500, "{answer:?}");
    };
    let flush = async {
        wait_until("it is in the book", async || {
            stack.book.number("SELECT count(*) FROM entries WHERE kind = 'debit'").await == 1
        })
        .await;
        stack.redis.command(&["FLUSHALL"]);
        wait_until("live state is back", async || stack.meter.credits(ada.account).await.is_ok()).await;
        assert_eq!(stack.remaining(&ada).await, 93, "not given back yet");
    };
    tokio::join!(calls, flush);
    assert_eq!(stack.audit().await.standing(), 0);
    assert_eq!(stack.remaining(&ada).await, 100);
}

#[tokio::test]
async fn a_give_back_that_redis_can_not_take_now_is_taken_later() {
    let mut stack = Stack::pairs().await;
    let ada = stack.customer(100).await;
    let (http, urls, key) = (stack.http.clone(), stack.urls(), ada.key.clone());
    let mut calls = tokio::task::JoinSet::new();
    calls.spawn(async move { fails_later().request(&http, &urls, Some(&key)).send().await.unwrap().status() });
    wait_until("it has drawn", async || stack.remaining(&ada).await == 93).await;
    stack.redis.kill();
    assert_eq!(calls.join_next().await.unwrap().unwrap(), 500);
    tokio::time::sleep(Duration::from_millis(300)).await; // it is tried in vain
    stack.redis.start_again();
    assert_eq!(stack.audit().await.standing(), 0);
    assert_eq!(stack.remaining(&ada).await, 100);
}

#[tokio::test]
async fn connections_to_redis_cut_under_load_double_nothing() {
    let stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    for _ in 0..8 {
        load.wait_served(MOMENT).await;
        stack.redis.command(&["CLIENT", "KILL", "TYPE", "normal"]);
        stack.redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    }
    load.wait_served(MOMENT).await;
    let tally = load.stop().await;
    tally.assert_only(&["200", "503 meter_unavailable"]);
    tally.assert_retry_after();
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0);
}

#[tokio::test]
async fn connections_to_postgres_cut_under_load_double_nothing() {
    let stack = Stack::pairs().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..8 {
        load.wait_served(MOMENT).await;
        stack.book.number(cut).await;
    }
    load.wait_served(MOMENT).await;
    let tally = load.stop().await;
    tally.assert_only(&["200", "503 meter_unavailable"]);
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0);
}

#[tokio::test]
async fn an_account_that_somebody_holds_locked_only_comes_late_to_the_book() {
    let stack = Stack::start().await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(MOMENT).await;
    let hold = "DO $$ BEGIN PERFORM FROM accounts FOR UPDATE; PERFORM pg_sleep(5); END $$";
    stack.book.execute(hold).await.unwrap(); // longer than a statement waits for a lock
    load.wait_served(MOMENT).await;
    let tally = load.stop().await;
    tally.assert_only(&["200"]);
    stack.audit_calls(&tally).await;
}

#[tokio::test]
async fn what_accounts_drew_while_an_install_was_interrupted_is_in_the_book() {
    let mut stack = Stack::with(Plan { sync_settings: SHORT_LEASES, ..Plan::default() }).await;
    let ada = stack.customer(100).await;
    stack.audit().await;
    stack.syncs[0].program.kill();
    let tally = stack.race(&ada.key, &Call::chat(), 5, 1).await;
    assert_eq!(tally.served(), 5);
    // As an owner leaves it that dies in the middle of an install: accounts that are written serve already.
    stack.book.execute("UPDATE shards SET state = 'installing'").await.unwrap();
    stack.syncs[0].program.start_again();
    wait_until("every shard is built anew", async || stack.rebuilds().await == 8).await;
    let totals = stack.audit_calls(&tally).await;
    assert_eq!(totals.standing(), 5);
    assert_eq!(stack.remaining(&ada).await, 95);
}
