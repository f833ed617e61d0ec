//! A subscription's life after it was bought.

use serde_json::{Value, json};

use crate::pretend::{Pretend, find, id};

const DAY_S: i64 = 86_400;

async fn status(stripe: &Pretend, subscription: &str) -> Value {
    stripe.get(&format!("/v1/subscriptions/{subscription}")).await["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_by_the_clock_moves_the_period_and_is_paid() {
    let stripe = Pretend::with_prices().await;
    let subscription = stripe.subscriber("price_pro").await;
    let end = &subscription["items"]["data"][0]["current_period_end"];
    stripe.control("clock", json!({ "advance_s": 32 * DAY_S })).await;
    let events = stripe.events().await;
    let invoice = &find(&events, "invoice.paid")["data"]["object"];
    assert_eq!((&invoice["billing_reason"], &invoice["amount_paid"]), (&json!("subscription_cycle"), &json!(2_000)));
    assert_eq!(&invoice["lines"]["data"][0]["period"]["start"], end);
    let now = stripe.get(&format!("/v1/subscriptions/{}", id(&subscription))).await;
    assert_eq!(&now["items"]["data"][0]["current_period_start"], end);
    assert_eq!((&now["status"], &now["latest_invoice"]), (&json!("active"), &invoice["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_fails_is_past_due_until_it_is_paid() {
    let stripe = Pretend::with_prices().await;
    let subscription = id(&stripe.subscriber("price_pro").await);
    let renewed = stripe.control(&format!("subscriptions/{subscription}/renew"), json!({ "card": "failing" })).await;
    let events = stripe.events().await;
    let failed = &find(&events, "invoice.payment_failed")["data"]["object"];
    assert_eq!((&failed["attempt_count"], &failed["status"]), (&json!(1), &json!("open")));
    assert!(failed["next_payment_attempt"].is_i64());
    let last = &events.last().expect("events")["data"];
    assert_eq!(
        (&last["previous_attributes"]["status"], &last["object"]["status"]),
        (&json!("active"), &json!("past_due"))
    );
    let customer = renewed["subscription"]["customer"].as_str().unwrap();
    stripe.control(&format!("customers/{customer}/card"), json!({ "card": "good" })).await;
    stripe.kinds().await;
    stripe.post(&format!("/v1/invoices/{}/pay", id(&renewed["invoice"])), &[]).await;
    let kinds = stripe.kinds().await;
    assert!(kinds.contains(&"invoice.paid".to_owned()), "{kinds:?}");
    assert_eq!(kinds.last().map(String::as_str), Some("customer.subscription.updated"));
    assert_eq!(status(&stripe, &subscription).await, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_asks_its_owner_makes_a_renewal_wait_for_them() {
    let stripe = Pretend::with_prices().await;
    let subscription = id(&stripe.subscriber("price_pro").await);
    let renewed =
        stripe.control(&format!("subscriptions/{subscription}/renew"), json!({ "card": "needs_action" })).await;
    let kinds = stripe.kinds().await;
    assert!(kinds.contains(&"invoice.payment_action_required".to_owned()), "{kinds:?}");
    assert_eq!(status(&stripe, &subscription).await, "past_due");
    stripe.control(&format!("invoices/{}/pay", id(&renewed["invoice"])), json!({})).await;
    assert_eq!(status(&stripe, &subscription).await, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_retry_the_subscription_ends_or_stays_unpaid() {
    for (after, ends) in [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")] {
        let stripe = Pretend::with_prices().await;
        let subscription = id(&stripe.subscriber("price_pro").await);
        stripe.control("clock", json!({ "after_retries": after })).await;
        stripe.control(&format!("subscriptions/{subscription}/renew"), json!({ "card": "failing" })).await;
        stripe.control("clock", json!({ "advance_s": 16 * DAY_S })).await;
        let kinds = stripe.kinds().await;
        let failures = kinds.iter().filter(|kind| *kind == "invoice.payment_failed").count();
        assert_eq!(failures, 4, "the first attempt and three retries");
        assert_eq!(status(&stripe, &subscription).await, ends);
        assert_eq!(kinds.contains(&"customer.subscription.deleted".to_owned()), ends == "canceled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plan_is_prorated_at_once_or_with_the_next_invoice() {
    let stripe = Pretend::with_prices().await;
    for (behavior, lines) in [("always_invoice", 2), ("create_prorations", 3)] {
        let subscription = id(&stripe.subscriber("price_pro").await);
        let form = [("items[0][price]", "price_max"), ("proration_behavior", behavior)];
        let item = stripe.get(&format!("/v1/subscriptions/{subscription}")).await["items"]["data"][0]["id"].clone();
        let form = [form[0], form[1], ("items[0][id]", item.as_str().unwrap())];
        stripe.post(&format!("/v1/subscriptions/{subscription}"), &form).await;
        if behavior == "create_prorations" {
            assert_eq!(stripe.kinds().await, ["customer.subscription.updated"]);
            stripe.control(&format!("subscriptions/{subscription}/renew"), json!({})).await;
        }
        let events = stripe.events().await;
        let invoice = &find(&events, "invoice.paid")["data"]["object"];
        let told = invoice["lines"]["data"].as_array().unwrap();
        assert_eq!(told.len(), lines);
        let proration = |line: &Value| line["parent"]["subscription_item_details"]["proration"] == true;
        assert!(proration(&told[0]) && proration(&told[1]));
        assert!(told[0]["amount"].as_i64() < Some(0) && told[1]["amount"].as_i64() > Some(4_900));
        let reason = if lines == 2 { "subscription_update" } else { "subscription_cycle" };
        assert_eq!(invoice["billing_reason"], reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_for_a_cheaper_plan_stays_with_the_customer_and_pays_the_next_invoice() {
    let stripe = Pretend::with_prices().await;
    let subscription = stripe.subscriber("price_max").await;
    let form = [("items[0][price]", "price_pro"), ("proration_behavior", "always_invoice")];
    stripe.post(&format!("/v1/subscriptions/{}", id(&subscription)), &form).await;
    let events = stripe.events().await;
    let credit = &find(&events, "invoice.paid")["data"]["object"];
    assert!(credit["total"].as_i64() < Some(0) && credit["amount_paid"] == 0, "{credit:#}");
    let customer = stripe.get(&format!("/v1/customers/{}", subscription["customer"].as_str().unwrap())).await;
    assert_eq!(customer["balance"], credit["total"]);
    stripe.control(&format!("subscriptions/{}/renew", id(&subscription)), json!({})).await;
    let events = stripe.events().await;
    assert_eq!(find(&events, "invoice.paid")["data"]["object"]["amount_paid"], 0, "the credit pays for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_ends_at_once_or_with_its_period() {
    let stripe = Pretend::with_prices().await;
    let now = id(&stripe.subscriber("price_pro").await);
    let ended = stripe.request("DELETE", &format!("/v1/subscriptions/{now}")).send().await.unwrap();
    assert_eq!(ended.json::<Value>().await.unwrap()["status"], "canceled");
    assert_eq!(stripe.kinds().await, ["customer.subscription.deleted"]);
    let later = id(&stripe.subscriber("price_pro").await);
    stripe.post(&format!("/v1/subscriptions/{later}"), &[("cancel_at_period_end", "true")]).await;
    let events = stripe.events().await;
    assert_eq!(find(&events, "customer.subscription.updated")["data"]["object"]["cancel_at_period_end"], true);
    assert_eq!(status(&stripe, &later).await, "active");
    stripe.control("clock", json!({ "advance_s": 32 * DAY_S })).await;
    assert_eq!(stripe.kinds().await, ["customer.subscription.deleted"]);
    let all = stripe.get("/v1/subscriptions").await;
    assert_eq!(all["data"], json!([]), "those that ended are shown to who asks for them");
    assert_eq!(stripe.get("/v1/subscriptions?status=all").await["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_subscription_is_not_billed_until_it_is_resumed() {
    let stripe = Pretend::with_prices().await;
    let subscription = id(&stripe.subscriber("price_pro").await);
    stripe.post(&format!("/v1/subscriptions/{subscription}/pause"), &[]).await;
    stripe.control("clock", json!({ "advance_s": 40 * DAY_S })).await;
    assert_eq!(stripe.kinds().await, ["customer.subscription.paused"]);
    let resumed = stripe.post(&format!("/v1/subscriptions/{subscription}/resume"), &[]).await;
    assert_eq!(resumed["status"], "active");
    assert_eq!(stripe.kinds().await.last().map(String::as_str), Some("customer.subscription.resumed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_are_voided_while_collection_is_paused() {
    let stripe = Pretend::with_prices().await;
    let subscription = id(&stripe.subscriber("price_pro").await);
    let path = format!("/v1/subscriptions/{subscription}");
    stripe.post(&path, &[("pause_collection[behavior]", "void")]).await;
    stripe.control(&format!("subscriptions/{subscription}/renew"), json!({})).await;
    let kinds = stripe.kinds().await;
    assert!(kinds.contains(&"invoice.voided".to_owned()) && !kinds.contains(&"invoice.paid".to_owned()), "{kinds:?}");
    assert_eq!(status(&stripe, &subscription).await, "active");
    assert!(stripe.post(&path, &[("pause_collection", "")]).await["pause_collection"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_invoice_that_nobody_pays_ends_in_incomplete_expired() {
    let stripe = Pretend::with_prices().await;
    let customer = stripe.customer().await;
    let form = [("customer", customer.as_str()), ("items[0][price]", "price_pro")];
    let subscription = stripe.post("/v1/subscriptions", &form).await;
    assert_eq!(subscription["status"], "incomplete");
    let events = stripe.events().await;
    let failed = &find(&events, "invoice.payment_failed")["data"]["object"];
    assert_eq!(failed["billing_reason"], "subscription_create");
    stripe.control("clock", json!({ "advance_s": DAY_S })).await;
    assert_eq!(status(&stripe, &id(&subscription)).await, "incomplete_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_ends_without_a_card_pauses_cancels_or_bills() {
    for (behavior, ends) in [("pause", "paused"), ("cancel", "canceled"), ("create_invoice", "past_due")] {
        let stripe = Pretend::with_prices().await;
        let customer = stripe.customer().await;
        let form = [
            ("customer", customer.as_str()),
            ("items[0][price]", "price_pro"),
            ("trial_period_days", "5"),
            ("trial_settings[end_behavior][missing_payment_method]", behavior),
        ];
        let subscription = stripe.post("/v1/subscriptions", &form).await;
        assert_eq!(subscription["status"], "trialing");
        stripe.control("clock", json!({ "advance_s": 6 * DAY_S })).await;
        assert_eq!(status(&stripe, &id(&subscription)).await, ends);
        let kinds = stripe.kinds().await;
        assert_eq!(kinds.contains(&"customer.subscription.paused".to_owned()), behavior == "pause");
    }
}
