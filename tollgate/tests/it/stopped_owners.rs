//! Two ledger-syncs fall asleep and wake at random under a flood of events: each event is applied once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use metering::OpId;
use metering::live::{Debit, DebitOutcome, Meter};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::stack::{Customer, Dice, Plan, SHORT_LEASES, Stack, credits, is_full, wait_until};

const CUSTOMERS: usize = 8;
const CALLERS: usize = 64;
/// The longest sleep, ms.
const SLEEP_MAX: u64 = 5_000;

/// What callers draw, and how much of it they know to be drawn.
struct Flood {
    meter: Meter,
    customers: Vec<Customer>,
    left: AtomicU64,
    drawn: AtomicU64,
}

impl Flood {
    /// Straight at live state: gateways would be the slower part.
    async fn draw(&self, caller: usize) {
        while self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let ask = Debit {
                op: OpId::from_uuid(Uuid::now_v7()),
                account: self.customers[caller % CUSTOMERS].account,
                key: None,
                rates: None,
                credits: credits(1),
                not_after: self.meter.store_now().plus_ms(60_000),
                route: "flood".parse().unwrap(),
                hold_until: None,
                idempotency: None,
            };
            if matches!(self.meter.debit(&ask).await, Ok(DebitOutcome::Drawn(_))) {
                self.drawn.fetch_add(1, Ordering::Relaxed);
            } else {
                // Refused for a moment, while a shard goes from hand to hand: another takes its place.
                self.left.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

#[tokio::test]
async fn of_two_owners_that_sleep_and_wake_each_event_is_applied_once() {
    let plan = Plan { gateways: 1, syncs: 2, appendfsync: "everysec", sync_settings: SHORT_LEASES, ..Plan::default() };
    let stack = Stack::with(plan).await;
    let mut customers = Vec::new();
    for _ in 0..CUSTOMERS {
        customers.push(stack.customer(1_000_000).await);
    }
    let events: u64 = if is_full() { 1_000_000 } else { 20_000 };
    let flood = Flood { meter: stack.meter.clone(), customers, left: AtomicU64::new(events), drawn: AtomicU64::new(0) };
    let (flood, mut callers, mut dice, began) = (Arc::new(flood), JoinSet::new(), Dice::thrown(), Instant::now());
    for caller in 0..CALLERS {
        let flood = Arc::clone(&flood);
        callers.spawn(async move { flood.draw(caller).await });
    }
    let mut sleeps = 0;
    let mut sleep = async || {
        let sleeper = &stack.syncs[usize::try_from(dice.within(0..=1)).unwrap()].program;
        let (asleep, awake) = (dice.within(0..=SLEEP_MAX), dice.within(0..=1_000));
        sleeper.signal("STOP");
        tokio::time::sleep(Duration::from_millis(asleep)).await;
        sleeper.signal("CONT");
        tokio::time::sleep(Duration::from_millis(awake)).await;
        sleeps += 1;
    };
    sleep().await;
    while flood.drawn.load(Ordering::Relaxed) < events {
        sleep().await;
    }
    callers.join_all().await;
    let debits = async |what: &str| {
        stack.book.number(&format!("SELECT count({what}) FROM entries WHERE kind = 'debit' AND route = 'flood'")).await
    };
    let expected = i64::try_from(events).unwrap();
    wait_until("every event is in the book", async || debits("*").await >= expected).await;
    assert_eq!((debits("*").await, debits("DISTINCT op").await), (expected, expected));
    stack.audit().await;
    assert_eq!(stack.rebuilds().await, 0);
    eprintln!("{events} events, {sleeps} sleeps, {:?}", began.elapsed());
}
