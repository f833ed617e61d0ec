//! A customer pays, fails to pay, and wants money back: from the browser's click to the next call, with everything real but Stripe.

use std::time::{Duration, Instant};

use ledger::stripe::PaymentRef;
use metering::Status;
use serde_json::json;

use crate::stack::{Call, Customer, Plan, Stack, credits, wait_until};

/// From the answer to a delivery until it holds for callers. A second is promised; the machine of a test runs several such houses at
/// once, and what it took is printed.
const PROMPT: Duration = Duration::from_secs(3);
/// What the plans of the demo grant.
const TEAM: u64 = 12_000;
const PACK: u64 = 2_500;
const TRIAL: u64 = 100;

/// Calls are answered like this soon after `since`, and go on being so.
async fn prompt(stack: &Stack, customer: &Customer, since: Instant, expected: &str) {
    loop {
        let asked = since.elapsed();
        let answer = stack.call(customer).await;
        if answer == expected {
            eprintln!("{expected} {asked:?} after the delivery was answered");
            break;
        }
        assert!(asked < PROMPT, "{answer} instead of {expected} after {asked:?}");
    }
    assert_eq!(stack.call(customer).await, expected, "it held before");
}

#[tokio::test]
async fn who_pays_is_active_with_the_plans_credits_and_can_call_within_a_second() {
    let stack = Stack::shop("").await;
    let ada = stack.newcomer().await;
    assert_eq!(stack.call(&ada).await, "403 account_pending");
    let opened = stack.open_checkout(&ada, "team", "click-1").await;
    assert_eq!(stack.open_checkout(&ada, "team", "click-1").await, opened, "the same click is the same checkout");
    assert_eq!(stack.standing(&ada).await, (Status::Pending, vec![]), "an open checkout is worth nothing");
    stack.pay(&opened).await;
    let since = stack.stripe().delivered().await;
    prompt(&stack, &ada, since, "200").await;
    stack.wait_told().await;
    assert_eq!(stack.standing(&ada).await, (Status::Active, vec![TEAM]));
    let subscription = stack.subscription(&ada).await;
    let lot = &stack.view(&ada).await.lots[0];
    assert_eq!(
        (lot.product.as_str(), Some(lot.expires_at)),
        ("Team", subscription.period_end),
        "until the period ends"
    );
    assert_eq!(subscription.plan.as_deref(), Some("team"));
    let mails = stack.book.ledger.queued_mails(0, 10).await.unwrap();
    assert!(mails.iter().any(|mail| mail.account == ada.account), "a mail tells of it: {mails:?}");
    stack.audit().await;
}

#[tokio::test]
async fn a_trial_is_opened_by_the_checkout_and_grants_its_own_allowance() {
    let stack = Stack::shop("").await;
    let ada = stack.newcomer().await;
    let opened = stack.open_checkout(&ada, "starter", "click-1").await;
    stack.pay(&opened).await;
    let since = stack.stripe().delivered().await;
    prompt(&stack, &ada, since, "200").await;
    stack.wait_told().await;
    assert_eq!(stack.standing(&ada).await, (Status::Trial, vec![TRIAL]));
    stack.audit().await;
}

#[tokio::test]
async fn a_failed_renewal_refuses_the_next_call_and_draws_nothing_and_paying_restores() {
    let stack = Stack::shop("").await;
    let ada = stack.newcomer().await;
    stack.buy(&ada, "team").await;
    let (stripe, subscription) = (stack.stripe(), stack.subscription(&ada).await);
    let renew = format!("subscriptions/{}/renew", subscription.subscription);
    let renewed = stripe.order(&renew, &json!({ "card": "failing" })).await;
    let since = stripe.delivered().await;
    prompt(&stack, &ada, since, "402 payment_failed").await;
    stack.wait_told().await;
    stack.audit().await;
    let remaining = stack.view(&ada).await.remaining;
    for _ in 0..3 {
        assert_eq!(stack.call(&ada).await, "402 payment_failed");
    }
    stack.audit().await;
    assert_eq!(stack.view(&ada).await.remaining, remaining, "refused calls draw nothing");
    assert_eq!(stack.standing(&ada).await, (Status::PaymentFailed, vec![TEAM]), "and nothing was granted");

    let customer = subscription.customer.unwrap();
    stripe.order(&format!("customers/{customer}/card"), &json!({ "card": "good" })).await;
    let invoice = renewed["invoice"]["id"].as_str().unwrap();
    stripe.order(&format!("invoices/{invoice}/pay"), &json!({})).await;
    let since = stripe.delivered().await;
    prompt(&stack, &ada, since, "200").await;
    stack.wait_told().await;
    assert_eq!(
        stack.standing(&ada).await,
        (Status::Active, vec![TEAM, TEAM]),
        "the period that was paid late is granted"
    );
    stack.audit().await;
}

#[tokio::test]
async fn a_refund_takes_back_what_is_left_once_and_says_what_is_missing() {
    let stack = Stack::shop("").await;
    let ada = stack.newcomer().await;
    stack.buy(&ada, "pack").await;
    assert_eq!(stack.standing(&ada).await, (Status::Active, vec![PACK]));
    assert_eq!(stack.send(&ada.key, Call::batch(5)).await.status, 200);
    stack.audit().await;
    let payment = stack.book.ledger.payments_of(ada.account, 10).await.unwrap().remove(0).payment;
    let intent = payment.payment_intent.clone().unwrap();
    stack.stripe().order("refunds", &json!({ "of": intent })).await;
    stack.wait_told().await;
    stack.audit().await;
    assert_eq!(stack.view(&ada).await.remaining, credits(0));
    assert_eq!(stack.call(&ada).await, "403 account_pending", "nothing that was paid stands any more");
    let names = PaymentRef { invoice: None, payment_intent: Some(intent.clone()), charge: None };
    let view = async || stack.book.ledger.payment(&names).await.unwrap().unwrap();
    wait_until("the shortfall is known", async || view().await.shortfall == Some(credits(5))).await;
    assert_eq!(view().await.taken, Some(credits(PACK - 5)));

    stack.stripe().order("disputes", &json!({ "of": intent })).await;
    stack.wait_told().await;
    stack.audit().await;
    assert_eq!(view().await.taken, Some(credits(PACK - 5)), "a dispute after the refund takes nothing more");
}

#[tokio::test]
async fn duplicated_reordered_and_late_deliveries_end_in_one_grant() {
    let stack = Stack::shop("").await;
    let stripe = stack.stripe();
    stripe.order("switches", &json!({ "duplicate": 3, "reorder": "shuffle", "parallel": 8, "delay_ms": 50 })).await;
    let mut buyers = Vec::new();
    for _ in 0..5 {
        let buyer = stack.newcomer().await;
        let opened = stack.open_checkout(&buyer, "team", "click").await;
        stack.pay(&opened).await;
        buyers.push(buyer);
    }
    stack.wait_told().await;
    for buyer in &buyers {
        assert_eq!(stack.standing(buyer).await, (Status::Active, vec![TEAM]));
        assert_eq!(stack.call(buyer).await, "200");
    }
    assert_eq!(stack.book.number("SELECT count(*) FROM stripe_deliveries WHERE state = 'parked'").await, 0);
    stack.audit().await;
}

#[tokio::test]
async fn two_webhooks_share_what_waits_and_grant_once() {
    let stack = Stack::with(Plan { webhooks: 2, ..Plan::default() }).await;
    let both = [&stack.webhooks[0], &stack.webhooks[1]];
    let stripe = stack.stripe();
    stripe.deliver_to(both[1].url()).await;
    stripe.order("switches", &json!({ "parallel": 8 })).await;
    let ada = stack.newcomer().await;
    stack.buy(&ada, "team").await;
    assert_eq!(stack.standing(&ada).await, (Status::Active, vec![TEAM]));
    for webhook in both {
        let text = webhook.program.metrics().await;
        let of = |result: &str| {
            let lines = text.lines().filter(|line| line.contains(&format!("deliveries_total{{result=\"{result}\"")));
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>()
        };
        assert!(of("recorded") + of("known") > 0, "each was delivered to");
        assert_eq!(of("parked"), 0);
    }
    let applied = stack.book.number("SELECT count(*) FROM stripe_deliveries WHERE state = 'applied'").await;
    assert!(applied > 0 && stack.call(&ada).await == "200");
    stack.audit().await;
}

#[tokio::test]
async fn what_no_delivery_told_is_found_and_mended() {
    let stack = Stack::shop("reconcile.interval_ms = 300\nreconcile.repair = true").await;
    let stripe = stack.stripe();
    stripe.order("switches", &json!({ "drop": ["*"] })).await;
    let ada = stack.newcomer().await;
    let opened = stack.open_checkout(&ada, "team", "click-1").await;
    stack.pay(&opened).await;
    wait_until("the next look has mended it", async || stack.call(&ada).await == "200").await;
    stack.wait_told().await;
    assert_eq!(stack.standing(&ada).await, (Status::Active, vec![TEAM]));
    let webhook = &stack.webhooks[0].program;
    wait_until("a look finds nothing more", async || {
        stack.book.ledger.reconcile_mark().await.unwrap().is_some()
            && webhook.metric("tollgate_webhook_reconcile_differences").await == 0
    })
    .await;
    stack.audit().await;
}

#[tokio::test]
async fn while_stripe_can_not_be_asked_deliveries_are_answered_and_wait() {
    let stack = Stack::shop("stripe.refetch = true\nworker.pause_ms_max = 200").await;
    let (stripe, ada) = (stack.stripe(), stack.newcomer().await);
    let opened = stack.open_checkout(&ada, "team", "click-1").await;
    stripe.order("outage", &json!({ "answer": "503" })).await;
    stack.pay(&opened).await;
    stripe.delivered().await;
    let webhook = &stack.webhooks[0].program;
    wait_until("it was put off", async || webhook.metric("tollgate_webhook_postponed_total").await > 0).await;
    assert_eq!(stack.standing(&ada).await, (Status::Pending, vec![]), "nobody is believed unasked");
    stripe.clear("outage").await;
    wait_until("it is applied", async || stack.call(&ada).await == "200").await;
    stack.wait_told().await;
    assert_eq!(stack.standing(&ada).await, (Status::Active, vec![TEAM]));
    stack.audit().await;
}
