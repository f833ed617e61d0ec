//! To the credit: however many ask at once, through however many gateways, exactly what is there is drawn.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{Entry, EntryKind, Grant};
use metering::{LotId, Status, TimeMs};

use crate::stack::{Call, Customer, Plan, Stack, Tally, by, credits};

const DAY_MS: u64 = 86_400_000;
const CLIENTS: usize = 64;
const CALLS: usize = 10_000;

/// Patient ones: a call that gave up waiting would be no proof either way.
async fn two_gateways() -> Stack {
    Stack::with(Plan { gateways: 2, syncs: 2, ..Plan::default() }).await
}

/// How often a race is run.
fn rounds() -> usize {
    #[expect(clippy::disallowed_methods, reason = "not a setting of a service: the test runner tells how much to run")]
    let full = std::env::var("TOLLGATE_TEST_SCALE").is_ok_and(|scale| scale == "full");
    if full { 20 } else { 1 }
}

/// Every debit of an account, oldest first.
async fn debits(stack: &Stack, customer: &Customer) -> Vec<Entry> {
    let mut entries = stack.book.ledger.entries(customer.account, None, 100_000).await.unwrap();
    entries.retain(|entry| entry.kind == EntryKind::Debit);
    entries.reverse();
    entries
}

fn drawn_from(debits: &[Entry]) -> BTreeMap<LotId, u64> {
    let mut drawn = BTreeMap::new();
    for draw in debits.iter().flat_map(|entry| &entry.split) {
        *drawn.entry(draw.lot).or_insert(0) += draw.credits.get();
    }
    drawn
}

fn assert_split(tally: &Tally, served: usize, problem: &str, refused: usize) {
    let expected = BTreeMap::from([("200", served), (problem, refused)]);
    assert_eq!(tally.by_answer(), expected);
}

#[tokio::test]
async fn of_two_callers_with_one_credit_one_is_served() {
    let stack = two_gateways().await;
    for _ in 0..20 {
        let ada = stack.customer(1).await;
        let tally = stack.race(&ada.key, &Call::chat(), 2, 2).await;
        assert_split(&tally, 1, "402 credits_exhausted", 1);
    }
    assert_eq!(stack.audit().await.standing(), 20);
}

#[tokio::test]
async fn credit_for_a_thousand_of_ten_thousand_calls_serves_a_thousand() {
    let stack = two_gateways().await;
    for _ in 0..rounds() {
        let ada = stack.customer(1000).await;
        let tally = stack.race(&ada.key, &Call::chat(), CALLS, CLIENTS).await;
        assert_split(&tally, 1000, "402 credits_exhausted", 9000);
        stack.audit_calls_of(&ada, &tally, 1000).await;
        assert_eq!(stack.remaining(&ada).await, 0);
    }
}

#[tokio::test]
async fn a_budget_of_a_thousand_serves_a_thousand_of_ten_thousand_calls() {
    let stack = two_gateways().await;
    for _ in 0..rounds() {
        let ada = stack.customer(100_000).await;
        stack.set_budget(ada.account, 1000).await;
        stack.wait_carried().await;
        let tally = stack.race(&ada.key, &Call::chat(), CALLS, CLIENTS).await;
        assert_split(&tally, 1000, "402 budget_exhausted", 9000);
        stack.audit_calls_of(&ada, &tally, 1000).await;
        assert_eq!(stack.remaining(&ada).await, 99_000);
        let most = debits(&stack, &ada).await.iter().filter_map(|debit| debit.budget_used_after).max().unwrap();
        assert_eq!(most.get(), 1000, "the budget was full and never overrun");
    }
}

#[tokio::test]
async fn a_call_that_needs_several_small_lots_is_served_from_them_in_order() {
    let stack = two_gateways().await;
    let ada = stack.customer_with(Status::Active, 0).await;
    let mut lots = Vec::new();
    for number in 0..143 {
        lots.push(stack.grant(ada.account, 7, DAY_MS + number * 1000).await);
    }
    stack.wait_carried().await;
    let tally = stack.race(&ada.key, &Call::batch(3), 1500, CLIENTS).await;
    // 143 lots of 7 hold 1001 credits: 333 batches of 3, and 2 credits that are too few for another.
    assert_split(&tally, 333, "402 credits_exhausted", 1500 - 333);
    stack.audit_calls_of(&ada, &tally, 333).await;
    assert_eq!(stack.remaining(&ada).await, 2);
    let debits = debits(&stack, &ada).await;
    let order: Vec<LotId> = debits.iter().flat_map(|debit| &debit.split).map(|draw| draw.lot).collect();
    assert!(order.is_sorted_by_key(|lot| lots.iter().position(|known| known == lot)), "earliest expiry first");
    assert!(debits.iter().any(|debit| debit.split.len() == 2), "some lie across a boundary");
    assert!(debits.iter().all(|debit| debit.credits == -3));
    let drawn = drawn_from(&debits);
    assert!(lots[..142].iter().all(|lot| drawn[lot] == 7) && drawn[&lots[142]] == 5, "{drawn:?}");
}

#[tokio::test]
async fn a_lot_that_expires_while_calls_run_pays_up_to_its_last_instant_and_not_beyond() {
    let stack = two_gateways().await;
    let ada = stack.customer_with(Status::Active, 0).await;
    let lasting = stack.grant(ada.account, 300, DAY_MS).await;
    let passing = stack.grant(ada.account, 1_000_000, 2500).await;
    stack.wait_carried().await;
    let load = stack.load(&ada, 16);
    let expires_at = expiry(&stack, &ada, passing).await;
    while stack.now().await < expires_at.plus_ms(200) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // After the instant only the lasting lot pays, until it is empty.
    crate::stack::wait_until("the lasting lot is empty", async || stack.remaining(&ada).await == 0).await;
    let tally = load.stop().await;
    tally.assert_only(&["200", "402 credits_exhausted"]);
    stack.audit_calls(&tally).await;

    let debits = debits(&stack, &ada).await;
    let (before, after): (Vec<Entry>, Vec<Entry>) = debits.into_iter().partition(|debit| debit.at < expires_at);
    assert!(!before.is_empty() && drawn_from(&before).keys().eq([&passing]), "{:?}", drawn_from(&before));
    assert_eq!(drawn_from(&after), BTreeMap::from([(lasting, 300)]));
    assert_eq!(tally.served(), before.len() + 300);
}

#[tokio::test]
async fn a_lot_to_come_is_drawn_from_its_first_instant_on() {
    let stack = two_gateways().await;
    let ada = stack.customer_with(Status::Active, 0).await;
    let now = stack.now().await;
    let (granted_at, expires_at) = (now.plus_ms(2000), now.plus_ms(DAY_MS));
    let grant = Grant { credits: credits(50), product: "pack".to_owned(), granted_at, expires_at, source: None };
    stack.book.ledger.grant_lot(ada.account, &grant, &by(now)).await.unwrap();
    stack.wait_carried().await;
    assert_eq!(stack.remaining(&ada).await, 0, "it has not begun");
    let load = stack.load(&ada, 8);
    load.wait_served(50).await;
    let tally = load.stop().await;
    tally.assert_only(&["200", "402 credits_exhausted"]);
    stack.audit_calls(&tally).await;
    let debits = debits(&stack, &ada).await;
    assert_eq!((tally.served(), debits.len()), (50, 50));
    assert!(debits.iter().all(|debit| debit.at >= granted_at), "none before its first instant");
    assert!(tally.count("402 credits_exhausted") > 0);
}

async fn expiry(stack: &Stack, customer: &Customer, lot: LotId) -> TimeMs {
    let view = stack.book.ledger.account_view(customer.account, stack.now().await).await.unwrap();
    view.lots.iter().find(|view| view.lot == lot).unwrap().expires_at
}

#[tokio::test]
async fn the_first_calls_of_an_account_nobody_knew_are_as_exact() {
    let stack = two_gateways().await;
    for _ in 0..5 {
        // Live state learns of account, lot and key while they call: who comes too early is turned away, not let through.
        let ada = stack.customer_with(Status::Active, 3).await;
        let mut served = 0;
        for _ in 0..1000 {
            let tally = stack.race(&ada.key, &Call::chat(), 16, 16).await;
            let early = ["200", "401 invalid_api_key", "402 credits_exhausted", "503 meter_unavailable"];
            tally.assert_only(&early);
            tally.assert_retry_after();
            served += tally.served();
            if tally.count("402 credits_exhausted") == 16 && served > 0 {
                break;
            }
        }
        assert_eq!(served, 3);
    }
    assert_eq!(stack.audit().await.standing(), 15);
}
