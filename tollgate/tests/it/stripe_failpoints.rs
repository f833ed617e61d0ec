//! A webhook, or the ledger-sync that carries what it has granted, dies at a named place while somebody pays: redelivery ends in one grant.

use std::time::Duration;

use metering::Status;
use serde_json::json;

use crate::failpoints::places::{CARRIES, Paid, WEBHOOK};
use crate::stack::{Plan, SHORT_LEASES, Stack, wait_until};

/// What the plan of the story grants.
const TEAM: u64 = 12_000;
const DEATH_MAX: Duration = Duration::from_secs(30);
/// Short leases, so that what a dead process had taken up is soon another's.
const SETTINGS: &str = "stripe.refetch = true\nworker.lease_ms = 500\nworker.interval_ms = 100\nworker.pause_ms_max = 200\n\
                        reconcile.interval_ms = 1000\nreconcile.repair = true";

/// Somebody pays while the webhook dies at a place; it is started again, and Stripe comes again.
async fn die_at(stack: &mut Stack, place: &str, how: Paid) {
    let ada = stack.newcomer().await;
    let opened = stack.open_checkout(&ada, "team", "click").await;
    stack.wait_told().await; // it dies of what is paid, not of what was told before
    let program = &mut stack.webhooks[0].program;
    program.start_to_die_at(place, 1);
    program.wait_listening().await;
    if how == Paid::Unasked {
        stack.stripe().order("outage", &json!({ "answer": "503" })).await;
    }
    stack.pay(&opened).await;
    if how == Paid::AndStray {
        let charge = json!({
            "id": format!("ch_{place}"), "object": "charge", "amount": 1000, "amount_refunded": 1000, "currency": "usd",
            "customer": "cus_stray", "payment_intent": format!("pi_{place}"), "refunded": true, "livemode": true,
        });
        stack.stripe().order("events", &json!({ "type": "charge.refunded", "object": charge, "livemode": true })).await;
    }
    let program = &mut stack.webhooks[0].program;
    assert!(program.died(DEATH_MAX).await, "{place} was not passed");
    program.start_again();
    stack.stripe().clear("outage").await;
    stack.webhooks[0].program.wait_ready().await;
    stack.wait_told().await;
    assert_eq!(stack.standing(&ada).await, (Status::Active, vec![TEAM]), "{place}");
    wait_until("calls are served", async || stack.call(&ada).await == "200").await;
    eprintln!("a webhook died at {place}");
}

#[tokio::test]
async fn a_webhook_that_dies_at_any_place_ends_in_one_grant() {
    let mut stack = Stack::shop(SETTINGS).await;
    for (place, how) in WEBHOOK {
        die_at(&mut stack, place, how).await;
    }
    let lots = stack.book.number("SELECT count(*) FROM lots").await;
    assert_eq!(usize::try_from(lots).unwrap(), WEBHOOK.len(), "one for each who paid");
    stack.audit().await;
}

#[tokio::test]
async fn an_owner_that_dies_while_a_grant_is_carried_ends_in_one_grant() {
    let plan = Plan { webhooks: 1, sync_settings: SHORT_LEASES, ..Plan::default() };
    let mut stack = Stack::with(plan).await;
    for place in CARRIES {
        let ada = stack.newcomer().await;
        let opened = stack.open_checkout(&ada, "team", "click").await;
        let program = &mut stack.syncs[0].program;
        program.stop(); // its shards are free at once
        program.start_to_die_at(place, 1);
        stack.pay(&opened).await;
        let program = &mut stack.syncs[0].program;
        assert!(program.died(DEATH_MAX).await, "{place} was not passed");
        program.start_again();
        stack.wait_told().await;
        assert_eq!(stack.standing(&ada).await, (Status::Active, vec![TEAM]), "{place}");
        wait_until("calls are served", async || stack.call(&ada).await == "200").await;
        stack.audit().await;
        eprintln!("an owner died at {place}");
    }
}
