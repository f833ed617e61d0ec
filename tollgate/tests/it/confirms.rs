//! Debits that are confirmed when their requests are over: what a gateway served before it died stays drawn, what it did not is given back.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::stack::{AS_SHIPPED, Answer, Call, Customer, Plan, Reply, Stack, wait_until};

/// Of the route `sure`.
const DEADLINE: Duration = Duration::from_secs(4);

/// Owners who release without waiting for gateways that come back.
async fn prompt_owners() -> Stack {
    Stack::with(Plan { sync_settings: "lease.duration_ms = 30000\nsweep.hold_grace_ms = 0", ..Plan::default() }).await
}

impl Stack {
    async fn outcomes(&self, ended: &str) -> i64 {
        self.book.number(&format!("SELECT count(*) FROM outcomes WHERE ended = '{ended}'")).await
    }

    /// Nothing waits to be confirmed any more.
    async fn wait_decided(&self) {
        wait_until("the book holds no debit open", async || {
            self.book.number("SELECT count(*) FROM holds").await == 0
                && self.book.number("SELECT count(*) FROM undos WHERE state = 'open'").await == 0
        })
        .await;
    }

    async fn left(&self, customer: &Customer) -> u64 {
        self.meter.credits(customer.account).await.map_or(0, |credits| credits.remaining.get())
    }

    fn begin(&self, customer: &Customer, call: Call) -> JoinSet<Reply> {
        let (http, urls, key) = (self.http.clone(), self.urls(), customer.key.clone());
        let mut calls = JoinSet::new();
        calls.spawn(async move {
            match call.request(&http, &urls, Some(&key)).send().await {
                Ok(response) => Reply::of(Ok(&Answer::read(response).await)),
                Err(error) => Reply::of(Err(&error)),
            }
        });
        calls
    }
}

#[tokio::test]
async fn a_gateway_killed_in_the_middle_of_requests_leaves_drawn_only_what_was_confirmed() {
    let mut stack = prompt_owners().await;
    let ada = stack.customer(10_000).await;
    let call = Call::chat().on("sure");
    stack.race(&ada.key, &call, 60, 12).await.assert_only(&["200"]);
    wait_until("all of it is confirmed", async || stack.outcomes("complete").await == 60).await;
    let mut calls = JoinSet::new();
    for caller in 0..12 {
        let (http, urls, key) = (stack.http.clone(), stack.urls(), ada.key.clone());
        // Some are served all the time, some are always under way.
        let call = if caller % 3 == 0 { call.clone().fault("delay=700") } else { call.clone() };
        calls.spawn(async move {
            let mut served = 0;
            while let Ok(response) = call.request(&http, &urls, Some(&key)).send().await {
                served += usize::from(Answer::read(response).await.whole);
            }
            served
        });
    }
    wait_until("it is well under way, and some of it waits", async || {
        stack.outcomes("complete").await >= 100 && stack.book.number("SELECT count(*) FROM holds").await >= 4
    })
    .await;
    let killed = Instant::now();
    stack.gateways[0].program.kill();
    let open = stack.book.number("SELECT count(*) FROM holds").await;
    assert!(open > 0, "nothing is given back before its time");
    let served: usize = 60 + calls.join_all().await.iter().sum::<usize>();
    // Those that were drawn last may not be in the book yet: theirs is the last deadline.
    wait_until("the deadline of the last is over", async || killed.elapsed() > DEADLINE).await;
    stack.wait_decided().await;
    let totals = stack.audit().await;
    let count = async |ended| usize::try_from(stack.outcomes(ended).await).unwrap();
    let (confirmed, unconfirmed) = (count("complete").await, count("unconfirmed").await);
    assert_eq!((totals.standing(), totals.give_backs), (confirmed, unconfirmed), "{served} were served");
    assert!((1..=60).contains(&unconfirmed), "those under way and little more: {unconfirmed}");
    assert!(confirmed <= served, "{confirmed} confirmed, {served} served");
    assert_eq!(stack.left(&ada).await, 10_000 - u64::try_from(confirmed).unwrap());
}

#[tokio::test]
async fn a_long_stream_outlives_many_deadlines() {
    let stack = prompt_owners().await;
    let ada = stack.customer(10).await;
    let call = Call::stream().on("sure").header("pretend-stream", "chunks=52, gap=250");
    let answer = stack.send(&ada.key, call).await;
    assert!(answer.whole && answer.status == 200, "{answer:?}");
    wait_until("it is confirmed", async || stack.outcomes("complete").await == 1).await;
    let duration_ms = stack.book.number("SELECT duration_ms FROM outcomes").await;
    assert!(duration_ms > 12_000, "three deadlines: {duration_ms} ms");
    assert!(stack.gateway_metric("tollgate_gateway_extensions_total").await >= 4);
    assert_eq!(stack.audit().await.standing(), 1);
    assert_eq!((stack.left(&ada).await, stack.outcomes("unconfirmed").await), (9, 0));
}

#[tokio::test]
async fn a_gateway_that_slept_past_the_deadline_confirms_in_vain() {
    let stack = prompt_owners().await;
    let ada = stack.customer(100).await;
    let mut calls = stack.begin(&ada, Call::chat().on("sure").fault("delay=2000"));
    wait_until("it is drawn, and in the book", async || stack.book.number("SELECT count(*) FROM holds").await == 1)
        .await;
    stack.gateways[0].program.signal("STOP");
    wait_until("it is given back", async || stack.left(&ada).await == 100).await;
    stack.gateways[0].program.signal("CONT");
    assert_eq!(calls.join_next().await.unwrap().unwrap().what, "200", "it was served all the same");
    let late = "tollgate_gateway_confirms_total{outcome=\"late\"} 1\n";
    wait_until("the confirmation came late", async || stack.gateways[0].program.metrics().await.contains(late)).await;
    assert_eq!(stack.audit().await.standing(), 0);
    assert_eq!((stack.left(&ada).await, stack.outcomes("unconfirmed").await), (100, 1));
    assert_eq!(stack.outcomes("complete").await, 0);
    assert_eq!(stack.send(&ada.key, Call::chat().on("sure")).await.status, 200);
    wait_until("the next one is confirmed", async || stack.outcomes("complete").await == 1).await;
}

#[tokio::test]
async fn what_waits_for_a_redis_that_is_away_longer_than_the_deadline_is_confirmed_when_it_is_back() {
    let plan = Plan { appendfsync: "always", gateway_settings: AS_SHIPPED, ..Plan::default() };
    let mut stack = Stack::with(plan).await;
    let ada = stack.customer(100).await;
    let mut calls = stack.begin(&ada, Call::chat().on("sure").fault("delay=2000"));
    wait_until("it is drawn, and in the book", async || stack.book.number("SELECT count(*) FROM holds").await == 1)
        .await;
    let away = Instant::now();
    stack.redis.kill();
    assert_eq!(calls.join_next().await.unwrap().unwrap().what, "200");
    wait_until("its time is over", async || away.elapsed() > DEADLINE + Duration::from_secs(1)).await;
    stack.redis.start_again();
    wait_until("it is confirmed", async || stack.outcomes("complete").await == 1).await;
    assert_eq!(stack.audit().await.standing(), 1);
    assert_eq!((stack.left(&ada).await, stack.outcomes("unconfirmed").await), (99, 0));
}

#[tokio::test]
async fn a_confirmation_reaches_the_book_though_live_state_was_built_anew_meanwhile() {
    let stack = Stack::start().await;
    let ada = stack.customer(100).await;
    let mut calls = stack.begin(&ada, Call::chat().on("sure").fault("delay=2000"));
    wait_until("it is drawn, and in the book", async || stack.book.number("SELECT count(*) FROM holds").await == 1)
        .await;
    stack.redis.command(&["FLUSHALL"]);
    wait_until("live state is back", async || stack.meter.credits(ada.account).await.is_ok()).await;
    assert_eq!(calls.join_next().await.unwrap().unwrap().what, "200");
    wait_until("it is confirmed", async || stack.outcomes("complete").await == 1).await;
    stack.wait_decided().await;
    assert_eq!(stack.audit().await.standing(), 1);
    assert_eq!(stack.left(&ada).await, 99);
}
