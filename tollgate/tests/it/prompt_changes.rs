//! What an operator changes holds at every gateway within a second.

use std::time::{Duration, Instant};

use ledger::NewKey;
use metering::{ApiKey, KeyMode, Status};

use crate::stack::{Answer, Call, Customer, Plan, Stack, by, credits};

const PROMPT: Duration = Duration::from_secs(1);

async fn two_gateways() -> Stack {
    Stack::with(Plan { gateways: 2, ..Plan::default() }).await
}

/// What an answer comes to: `200`, `403 account_suspended`, …
fn what(answer: &Answer) -> String {
    if answer.status == 200 { "200".to_owned() } else { answer.problem() }
}

/// Both gateways answer like this within a second of `since`, and go on doing so.
async fn prompt(stack: &Stack, customer: &Customer, since: Instant, calls: &[(Call, &str)]) {
    for (call, expected) in calls {
        for gateway in 0..2 {
            loop {
                let asked = since.elapsed();
                let answer = stack.send(&customer.key, call.clone().via(gateway)).await;
                if what(&answer) == *expected {
                    break;
                }
                assert!(asked < PROMPT, "{call:?} after {asked:?}: {answer:?}");
            }
        }
    }
    for (call, expected) in calls {
        for gateway in 0..2 {
            let answer = stack.send(&customer.key, call.clone().via(gateway)).await;
            assert_eq!(what(&answer), *expected, "it held before");
        }
    }
}

/// Both gateways know the key, so that nothing later is a first look.
async fn warm(stack: &Stack, customer: &Customer) {
    for gateway in [0, 1, 0, 1] {
        assert_eq!(stack.send(&customer.key, Call::chat().via(gateway)).await.status, 200);
        assert_eq!(stack.send(&customer.key, strict().via(gateway)).await.status, 200);
    }
}

/// A free route that is closed to who may not spend.
fn strict() -> Call {
    Call::get("/v1/usage").on("strict")
}

#[tokio::test]
async fn a_status_holds_within_a_second_on_priced_and_free_routes() {
    let stack = two_gateways().await;
    let ada = stack.customer(100).await;
    warm(&stack, &ada).await;
    for (status, problem) in [
        (Status::Suspended, "403 account_suspended"),
        (Status::Active, "200"),
        (Status::PaymentFailed, "402 payment_failed"),
        (Status::Approved, "200"),
        (Status::Pending, "403 account_pending"),
    ] {
        stack.set_status(ada.account, status).await;
        let since = Instant::now();
        prompt(&stack, &ada, since, &[(Call::chat(), problem), (strict(), problem), (Call::get("/v1/usage"), "200")])
            .await;
    }
    stack.audit().await;
}

#[tokio::test]
async fn a_revocation_holds_within_a_second_on_priced_and_free_routes() {
    let stack = two_gateways().await;
    let ada = stack.customer(100).await;
    warm(&stack, &ada).await;
    stack.revoke(ada.key_id).await;
    let (since, refused) = (Instant::now(), "401 invalid_api_key");
    prompt(&stack, &ada, since, &[(Call::chat(), refused), (strict(), refused), (Call::get("/v1/credits"), refused)])
        .await;
    stack.audit().await;
}

#[tokio::test]
async fn a_new_key_works_within_a_second_even_where_it_was_tried_before() {
    let stack = two_gateways().await;
    let ada = stack.customer(100).await;
    let random = [9; 32];
    let key = ApiKey::generate(KeyMode::Test, random).reveal().to_owned();
    for gateway in [0, 1, 0, 1] {
        assert_eq!(stack.send(&key, Call::chat().via(gateway)).await.problem(), "401 invalid_api_key");
    }
    let (_, key_id) = stack.issue_this_key(ada.account, KeyMode::Test, random).await;
    let customer = Customer { key, key_id, ..ada };
    prompt(&stack, &customer, Instant::now(), &[(Call::chat(), "200"), (strict(), "200")]).await;

    let fresh = stack.customer_with(Status::Trial, 5).await;
    prompt(&stack, &fresh, Instant::now(), &[(Call::chat(), "200")]).await;
    stack.audit().await;
}

#[tokio::test]
async fn a_key_is_refused_from_the_instant_of_its_expiry() {
    let stack = two_gateways().await;
    let ada = stack.customer(1000).await;
    let now = stack.now().await;
    let expires_at = now.plus_ms(2500);
    let new = NewKey {
        name: "visitor".to_owned(),
        mode: KeyMode::Live,
        expires_at: Some(expires_at),
        policy: metering::KeyPolicy::default(),
        random: [5; 32],
    };
    let (key, key_id) = stack.book.ledger.issue_key(ada.account, &new, &by(now)).await.unwrap();
    stack.wait_carried().await;
    let visitor = Customer { key: key.reveal().to_owned(), key_id, ..ada };
    warm(&stack, &visitor).await;
    let load = stack.load(&visitor, 4);
    while stack.now().await < expires_at {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = "401 invalid_api_key";
    prompt(&stack, &visitor, Instant::now(), &[(Call::chat(), refused), (strict(), refused)]).await;
    let answer = stack.send(&visitor.key, Call::chat()).await;
    assert_eq!(answer.json()["reason"], "expired");
    let tally = load.stop().await;
    tally.assert_only(&["200", refused]);
    stack.audit().await;
    let late = format!(
        "SELECT count(*) FROM entries WHERE kind = 'debit' AND occurred_at >= to_timestamp({}::numeric / 1000)",
        expires_at.plus_ms(100).as_u64() // gateways know Redis' clock to within a round trip
    );
    assert_eq!(stack.book.number(&late).await, 0);
}

#[tokio::test]
async fn a_grant_and_a_budget_hold_within_a_second() {
    let stack = two_gateways().await;
    let ada = stack.customer(1).await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    prompt(&stack, &ada, Instant::now(), &[(Call::chat(), "402 credits_exhausted")]).await;
    stack.grant(ada.account, 50, 86_400_000).await;
    prompt(&stack, &ada, Instant::now(), &[(Call::chat(), "200")]).await;
    stack.set_budget(ada.account, 1).await;
    prompt(&stack, &ada, Instant::now(), &[(Call::chat(), "402 budget_exhausted")]).await;
    stack.audit().await;
}

#[tokio::test]
async fn changes_reach_live_state_in_order_while_calls_run() {
    let stack = two_gateways().await;
    let ada = stack.customer(10_000).await;
    let load = stack.load(&ada, 8);
    for round in 0..20 {
        let status = if round % 2 == 0 { Status::Suspended } else { Status::Active };
        stack.set_status(ada.account, status).await;
        if status == Status::Active {
            stack.set_budget(ada.account, 5000 + round).await;
        }
        let lot = stack.grant(ada.account, 1000, 3_600_000).await; // drawn before the first lot
        let now = stack.now().await;
        match round % 3 {
            0 => drop(stack.book.ledger.reduce_lot(lot, credits(990), &by(now)).await.unwrap()),
            1 => drop(stack.book.ledger.move_lot_expiry(lot, now, &by(now)).await.unwrap()),
            _ => {}
        }
    }
    load.wait_served(50).await;
    let tally = load.stop().await;
    tally.assert_only(&["200", "403 account_suspended"]);
    stack.audit_calls(&tally).await;
    let gaps = stack.syncs[0].program.metric("tollgate_sync_control_gaps_total").await;
    assert_eq!(gaps, 0, "no change was missed, so no account had to be installed anew");
}
