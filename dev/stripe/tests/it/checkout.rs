//! Somebody buys, or doesn't.

use serde_json::json;

use crate::pretend::{Pretend, find, id};

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_paid_tells_of_the_intent_the_charge_and_the_session() {
    let stripe = Pretend::with_prices().await;
    let customer = stripe.customer().await;
    let more = [
        ("customer", customer.as_str()),
        ("client_reference_id", "acc_1"),
        ("metadata[account]", "acc_1"),
        ("payment_intent_data[metadata][plan]", "pack"),
    ];
    let session = stripe.session("payment", "price_pack", &more).await;
    assert_eq!((&session["status"], &session["amount_total"]), (&json!("open"), &json!(900)));
    assert!(session["payment_intent"].is_null() && session.get("line_items").is_none(), "{session:#}");
    stripe.kinds().await;
    stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    let events = stripe.events().await;
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(
        kinds,
        ["payment_intent.created", "payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"]
    );
    let told = &find(&events, "checkout.session.completed")["data"]["object"];
    assert_eq!(told["payment_status"], "paid");
    assert_eq!((&told["client_reference_id"], &told["metadata"]["account"]), (&json!("acc_1"), &json!("acc_1")));
    assert_eq!(told["customer_details"]["email"], "ann@example.com");
    let charge = &find(&events, "charge.succeeded")["data"]["object"];
    assert_eq!(charge["payment_intent"], told["payment_intent"]);
    assert_eq!(charge["metadata"]["plan"], "pack");
    assert!(charge.get("invoice").is_none(), "newer versions have no invoice on a charge");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_bought_is_incomplete_until_its_invoice_is_paid() {
    let stripe = Pretend::with_prices().await;
    let more = [("customer_email", "bob@example.com"), ("subscription_data[metadata][account]", "acc_2")];
    let session = stripe.session("subscription", "price_pro", &more).await;
    stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    let events = stripe.events().await;
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(
        kinds,
        [
            "customer.created",
            "payment_method.attached",
            "customer.subscription.created",
            "invoice.created",
            "invoice.finalized",
            "payment_intent.created",
            "payment_intent.succeeded",
            "charge.succeeded",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
            "checkout.session.completed",
            "customer.subscription.updated",
        ]
    );
    let begun = &find(&events, "customer.subscription.created")["data"]["object"];
    assert_eq!((&begun["status"], &begun["metadata"]["account"]), (&json!("incomplete"), &json!("acc_2")));
    assert!(begun.get("current_period_end").is_none(), "periods are on the items");
    let updated = &find(&events, "customer.subscription.updated")["data"];
    assert_eq!(updated["previous_attributes"], json!({ "status": "incomplete" }));
    assert_eq!(updated["object"]["status"], "active");
    let invoice = &find(&events, "invoice.paid")["data"]["object"];
    assert_eq!(invoice["billing_reason"], "subscription_create");
    assert_eq!(invoice["parent"]["subscription_details"]["subscription"], begun["id"]);
    assert!(invoice.get("subscription").is_none() && invoice.get("payments").is_none(), "{invoice:#}");
    let first = &invoice["lines"]["data"][0];
    assert_eq!((&first["amount"], &first["pricing"]["price_details"]["price"]), (&json!(2_000), &json!("price_pro")));
    assert_eq!(first["parent"]["subscription_item_details"]["proration"], false);
    assert_eq!(first["period"]["end"], begun["items"]["data"][0]["current_period_end"]);
    let link = &find(&events, "invoice_payment.paid")["data"]["object"];
    assert_eq!(link["invoice"], invoice["id"]);
    assert_eq!(
        link["payment"]["payment_intent"],
        find(&events, "charge.succeeded")["data"]["object"]["payment_intent"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_leaves_the_session_open() {
    let stripe = Pretend::with_prices().await;
    let session = stripe.session("payment", "price_pack", &[]).await;
    let failed = stripe.control(&format!("sessions/{}/fail", id(&session)), json!({})).await;
    assert_eq!(failed["status"], "open");
    assert_eq!(stripe.kinds().await, ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]);
    let paid = stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    assert_eq!(paid["payment_intent"], failed["payment_intent"], "the same intent is tried again");
    assert_eq!(paid["payment_status"], "paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_takes_days_completes_unpaid_and_is_decided_later() {
    let stripe = Pretend::with_prices().await;
    for (succeeds, told) in [(true, "async_payment_succeeded"), (false, "async_payment_failed")] {
        let session = stripe.session("payment", "price_pack", &[]).await;
        let path = format!("sessions/{}", id(&session));
        stripe.control(&format!("{path}/pay"), json!({ "later": true })).await;
        let events = stripe.events().await;
        let completed = &find(&events, "checkout.session.completed")["data"]["object"];
        assert_eq!(completed["payment_status"], "unpaid");
        let settled = stripe.control(&format!("{path}/settle"), json!({ "succeeds": succeeds })).await;
        assert_eq!(settled["payment_status"], if succeeds { "paid" } else { "unpaid" });
        let kinds = stripe.kinds().await;
        assert_eq!(kinds.last().map(String::as_str), Some(format!("checkout.session.{told}").as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_pays_expires_with_the_clock() {
    let stripe = Pretend::with_prices().await;
    let session = stripe.session("payment", "price_pack", &[]).await;
    stripe.control("clock", json!({ "advance_s": 86_399 - 60 })).await;
    assert_eq!(stripe.kinds().await, [""; 0]);
    stripe.control("clock", json!({ "advance_s": 120 })).await;
    let events = stripe.events().await;
    assert_eq!(find(&events, "checkout.session.expired")["data"]["object"]["id"], session["id"]);
    let paid = stripe.request("POST", &format!("/_pretend/sessions/{}/pay", id(&session))).send().await.unwrap();
    assert_eq!(paid.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_costs_nothing_until_it_ends() {
    let stripe = Pretend::with_prices().await;
    let trial = [("subscription_data[trial_period_days]", "14")];
    let session = stripe.session("subscription", "price_pro", &trial).await;
    assert_eq!((&session["amount_total"], &session["payment_status"]), (&json!(0), &json!("no_payment_required")));
    stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    let events = stripe.events().await;
    assert_eq!(find(&events, "customer.subscription.created")["data"]["object"]["status"], "trialing");
    assert_eq!(find(&events, "invoice.paid")["data"]["object"]["total"], 0);
    stripe.control("clock", json!({ "advance_s": 12 * 86_400 })).await;
    assert_eq!(stripe.kinds().await, ["customer.subscription.trial_will_end"]);
    stripe.control("clock", json!({ "advance_s": 3 * 86_400 })).await;
    let events = stripe.events().await;
    let updated = &find(&events, "customer.subscription.updated")["data"];
    assert_eq!(
        (&updated["previous_attributes"]["status"], &updated["object"]["status"]),
        (&json!("trialing"), &json!("active"))
    );
    let invoice = &find(&events, "invoice.paid")["data"]["object"];
    assert_eq!((&invoice["billing_reason"], &invoice["amount_paid"]), (&json!("subscription_cycle"), &json!(2_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_for_a_pack_may_make_an_invoice() {
    let stripe = Pretend::with_prices().await;
    let session = stripe.session("payment", "price_pack", &[("invoice_creation[enabled]", "true")]).await;
    let paid = stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    let events = stripe.events().await;
    let invoice = &find(&events, "invoice.paid")["data"]["object"];
    assert_eq!((&invoice["id"], &invoice["billing_reason"]), (&paid["invoice"], &json!("manual")));
    assert!(invoice["parent"].is_null());
    let link = &find(&events, "invoice_payment.paid")["data"]["object"];
    assert_eq!(link["payment"]["payment_intent"], paid["payment_intent"]);
}
