//! What goes over the wire to Stripe, and what becomes of answers that are none.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ledger::stripe::Effect;
use metering::TimeMs;
use payments::{Plans, Reading, Stripe, StripeError};
use serde_json::{Value, json};

use crate::pretend::{Answer, KEY, Pretend, error, list, missing, settings};

const NOW: TimeMs = TimeMs::new(1_764_115_300_000);

async fn read(stripe: &Stripe, kind: &str, object: Value) -> Result<Reading, StripeError> {
    let event = json!({ "id": "evt_1", "type": kind, "created": 1_764_115_200, "livemode": false, "data": { "object": object } });
    let plans = Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap());
    payments::read(&payments::parse(event.to_string().as_bytes()).unwrap(), &plans, Some(stripe), NOW).await
}

async fn failing(answer: impl Fn() -> Answer + Send + Sync + 'static) -> StripeError {
    let pretend = Pretend::start(move |_| answer()).await;
    read(&pretend.stripe(), "customer.updated", json!({ "id": "cus_1" })).await.expect_err("no answer")
}

#[tokio::test]
async fn an_object_is_fetched_again_and_its_state_of_now_counts() {
    let pretend = Pretend::start(|_| Answer::Json(200, json!({ "id": "cus_1", "email": "new@example.com" }))).await;
    let told = read(&pretend.stripe(), "customer.updated", json!({ "id": "cus_1", "email": "old@example.com" }))
        .await
        .unwrap();
    let wanted = Effect::CustomerSeen {
        customer: "cus_1".into(),
        account: None,
        email: Some("new@example.com".into()),
        as_of: NOW,
    };
    assert_eq!(told, Reading::Effects(vec![wanted]));
    let asked = pretend.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("GET", "/v1/customers/cus_1"));
    assert_eq!(asked[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(asked[0].header("stripe-version"), Some("2026-09-30.endive"));
    assert_eq!(asked[0].header("idempotency-key"), None, "reading needs none");
}

#[tokio::test]
async fn what_is_gone_is_read_as_it_was_told() {
    let pretend = Pretend::start(|_| missing()).await;
    let told = read(&pretend.stripe(), "customer.deleted", json!({ "id": "cus_1" })).await.unwrap();
    let wanted = Effect::CustomerDeleted { customer: "cus_1".into(), as_of: TimeMs::new(1_764_115_200_000) };
    assert_eq!(told, Reading::Effects(vec![wanted]));
}

#[tokio::test]
async fn an_id_in_a_delivery_leads_to_no_other_path() {
    let pretend = Pretend::start(|_| missing()).await;
    read(&pretend.stripe(), "customer.deleted", json!({ "id": "../charges?x=1#" })).await.unwrap();
    assert_eq!(pretend.asked()[0].path, "/v1/customers/%2E%2E%2Fcharges%3Fx%3D1%23");
}

#[tokio::test]
async fn a_stripe_that_is_away_is_unavailable_and_may_be_asked_again() {
    for status in [409, 429, 500, 502, 503, 504] {
        let away = failing(move || error(status, "api_error", "later")).await;
        assert_eq!((away.code(), away.is_passing()), ("stripe_unavailable", true), "{status}");
    }
    assert_eq!(failing(|| Answer::Text(502, "<html>Bad gateway</html>")).await.code(), "stripe_unavailable");
    assert_eq!(failing(|| Answer::Text(200, "{\"id\":")).await.code(), "stripe_unavailable");
    let nobody = Stripe::new(&settings("http://127.0.0.1:9", 1_000)).unwrap().unwrap();
    let away = read(&nobody, "customer.updated", json!({ "id": "cus_1" })).await.unwrap_err();
    assert_eq!(away.code(), "stripe_unavailable");
}

#[tokio::test]
async fn no_answer_is_waited_for_longer_than_the_settings_say() {
    let pretend = Pretend::start(|_| Answer::Hang).await;
    let stripe = Stripe::new(&settings(&pretend.url, 200)).unwrap().unwrap();
    let began = Instant::now();
    let away = read(&stripe, "customer.updated", json!({ "id": "cus_1" })).await.unwrap_err();
    assert_eq!(away, StripeError::Unavailable("no answer in time".to_owned()));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_key_that_is_refused_is_told_and_never_shown() {
    for status in [401, 403] {
        let refused = failing(move || error(status, "invalid_request_error", &format!("Invalid API Key: {KEY}"))).await;
        assert_eq!((refused.code(), refused.is_passing()), ("stripe_key_refused", false));
        assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
    }
    let refused = failing(|| error(400, "invalid_request_error", &format!("No such key: {KEY}"))).await;
    assert!(refused.code() == "stripe_refused" && !format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
    let stripe = Stripe::new(&settings("http://127.0.0.1:9", 1_000)).unwrap().unwrap();
    assert!(!format!("{stripe:?}").contains("secret"));
}

#[tokio::test]
async fn an_invoice_is_fetched_with_all_its_lines_and_with_what_pays_it() {
    let line = |number: u32, price: &str| {
        json!({
            "id": format!("il_{number}"), "amount": 9_900, "currency": "usd", "quantity": 1,
            "period": { "start": 1, "end": 1_766_707_200 }, "pricing": { "price_details": { "price": price } },
        })
    };
    let invoice = json!({
        "id": "in_1", "status": "paid", "amount_paid": 9_900, "customer": "cus_1", "currency": "usd",
        "parent": { "subscription_details": { "subscription": "sub_1" } },
        "payments": { "data": [{ "invoice": "in_1", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } }] },
        "lines": { "data": [line(1, "price_of_something_else")], "has_more": true },
    });
    let pretend = Pretend::start(move |asked| match (asked.path.as_str(), asked.query.get("starting_after")) {
        ("/v1/invoices/in_1", _) => Answer::Json(200, invoice.clone()),
        ("/v1/invoices/in_1/lines", None) => {
            Answer::Json(200, json!({ "data": [line(1, "price_of_something_else")], "has_more": true }))
        }
        ("/v1/invoices/in_1/lines", Some(_)) => list(&[line(2, "price_tollgate_team")]),
        _ => missing(),
    })
    .await;
    let told = read(&pretend.stripe(), "invoice.paid", json!({ "id": "in_1" })).await.unwrap();
    let Reading::Effects(effects) = told else { panic!("{told:?}") };
    assert_eq!(effects[0], Effect::PaymentLinked { invoice: "in_1".into(), payment_intent: "pi_1".into() });
    let Effect::Paid(payment) = &effects[1] else { panic!("{effects:?}") };
    assert_eq!((payment.plan.as_str(), payment.credits.get()), ("team", 12_000));
    let asked = pretend.asked();
    assert_eq!(asked[0].query.get("expand[]").map(String::as_str), Some("payments"));
    assert_eq!(asked[2].query.get("starting_after").map(String::as_str), Some("il_1"));
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn which_invoice_was_refunded_is_asked_for_where_the_charge_does_not_say_it() {
    let charge = json!({ "id": "ch_1", "amount": 100, "amount_refunded": 100, "payment_intent": "pi_1" });
    let payment = json!({ "id": "inpay_1", "invoice": "in_1", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } });
    let pretend = Pretend::start(move |asked| match asked.path.as_str() {
        "/v1/charges/ch_1" => Answer::Json(200, charge.clone()),
        "/v1/invoice_payments" => list(std::slice::from_ref(&payment)),
        _ => missing(),
    })
    .await;
    let told = read(&pretend.stripe(), "charge.refunded", json!({ "id": "ch_1" })).await.unwrap();
    let Reading::Effects(effects) = told else { panic!("{told:?}") };
    assert_eq!(effects[0], Effect::PaymentLinked { invoice: "in_1".into(), payment_intent: "pi_1".into() });
    assert!(matches!(effects[1], Effect::Reversed(_)) && effects.len() == 2);
    let query = pretend.asked()[1].query.clone();
    let of = |name: &str| query.get(name).map(String::as_str);
    assert_eq!((of("payment[type]"), of("payment[payment_intent]")), (Some("payment_intent"), Some("pi_1")));
}

#[tokio::test]
async fn a_product_is_told_by_the_prices_of_its_plans() {
    let price = json!({
        "id": "price_tollgate_team", "unit_amount": 9_900, "currency": "usd", "active": true, "recurring": { "interval": "month" },
        "product": { "id": "prod_tollgate_team", "name": "Team of ten", "active": true },
    });
    let calls = AtomicU32::new(0);
    let pretend = Pretend::start(move |asked| match asked.path.as_str() {
        "/v1/products/prod_tollgate_team" => Answer::Json(200, json!({ "id": "prod_tollgate_team", "active": true })),
        "/v1/prices/price_tollgate_team" if calls.fetch_add(1, Ordering::SeqCst) == 0 => {
            Answer::Json(200, price.clone())
        }
        _ => missing(),
    })
    .await;
    let stripe = pretend.stripe();
    let told = read(&stripe, "product.updated", json!({ "id": "prod_tollgate_team" })).await.unwrap();
    let Reading::Effects(effects) = told else { panic!("{told:?}") };
    assert!(matches!(&effects[..], [Effect::OfferSeen(offer)] if offer.name == "Team of ten"), "{effects:?}");
    let told = read(&stripe, "product.updated", json!({ "id": "prod_tollgate_team" })).await.unwrap();
    assert_eq!(told, Reading::Ignored, "the price is gone");
}
