//! Events in Stripe's published shapes: of the version we ask for, of a newer one, of one that nobody has written yet, and of an old one.

use ledger::stripe::{
    CheckoutEnd, CheckoutOutcome, Effect, InvoiceFailure, Offer, Payment, PaymentRef, Reversal, ReversalKind,
    SubscriptionReport, SubscriptionStatus,
};
use metering::{AccountId, Credits, TimeMs};
use payments::{Plans, Reading};
use serde_json::{Value, json};

const CREATED: TimeMs = TimeMs::new(1_764_115_260_000);
const PAID: TimeMs = TimeMs::new(1_764_115_240_000);
const PERIOD_END: TimeMs = TimeMs::new(1_766_707_200_000);
const NOW: TimeMs = TimeMs::new(1_764_115_300_000);

macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../fixtures/events/", $name, ".json"))).unwrap()
    };
}

fn account() -> Option<AccountId> {
    "acct_00000000000000000000000000000001".parse().ok()
}

fn plans() -> Plans {
    Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap())
}

async fn read(event: &Value) -> Reading {
    let event = payments::parse(event.to_string().as_bytes()).unwrap();
    payments::read(&event, &plans(), None, NOW).await.unwrap()
}

/// A newer version adds fields and words; what we act on is where it was.
fn of_the_future(mut event: Value, version: &str) -> Value {
    event["api_version"] = json!(version);
    event["workspace"] = json!({ "id": "wksp_1", "tags": [1, null, { "deep": true }] });
    let object = event["data"]["object"].as_object_mut().unwrap();
    object.insert("settlement_window".to_owned(), json!({ "kind": "word_that_nobody_knows", "ends": 1.5 }));
    object.insert("collection_method".to_owned(), json!("by_pigeon"));
    event
}

async fn assert_reads(event: Value, wanted: Vec<Effect>) {
    let wanted = Reading::Effects(wanted);
    assert_eq!(read(&event).await, wanted);
    for version in ["2026-10-28.endive", "2031-04-01.zucchini"] {
        assert_eq!(read(&of_the_future(event.clone(), version)).await, wanted, "{version}");
    }
    let mut unversioned = event;
    unversioned["api_version"] = Value::Null;
    assert_eq!(read(&unversioned).await, wanted);
}

#[tokio::test]
async fn a_checkout_that_is_paid_is_read() {
    let end = CheckoutEnd {
        session: "cs_test_a1Qz8".into(),
        account: account(),
        customer: Some("cus_TUv1".into()),
        outcome: CheckoutOutcome::Paid,
        amount: Some(2_500),
        currency: Some("usd".into()),
        email: Some("ada@example.com".into()),
        subscription: None,
        payment_intent: Some("pi_3SXk1".into()),
        at: CREATED,
    };
    let payment = Payment {
        payment: "pi_3SXk1".into(),
        payment_intent: Some("pi_3SXk1".into()),
        charge: None,
        session: Some("cs_test_a1Qz8".into()),
        subscription: None,
        customer: Some("cus_TUv1".into()),
        account: account(),
        plan: "pack".into(),
        product: "Credit pack".into(),
        credits: Credits::new(2_500).unwrap(),
        prorated: false,
        amount: 2_500,
        currency: "usd".into(),
        period_end: None,
        paid_at: CREATED,
        expires_at: CREATED.plus_ms(365 * 86_400_000),
    };
    assert_reads(fixture!("checkout_session_completed"), vec![Effect::CheckoutEnded(end), Effect::Paid(payment)]).await;
}

fn renewal() -> Payment {
    Payment {
        payment: "in_1SXk".into(),
        payment_intent: None,
        charge: None,
        session: None,
        subscription: Some("sub_1SXk".into()),
        customer: Some("cus_TUv1".into()),
        account: account(),
        plan: "team".into(),
        product: "Team".into(),
        credits: Credits::new(12_000).unwrap(),
        prorated: false,
        amount: 9_900,
        currency: "usd".into(),
        period_end: Some(PERIOD_END),
        paid_at: PAID,
        expires_at: PERIOD_END,
    }
}

fn link() -> Effect {
    Effect::PaymentLinked { invoice: "in_1SXk".into(), payment_intent: "pi_3SXk1".into() }
}

#[tokio::test]
async fn a_renewal_that_is_paid_is_read_in_new_and_old_shapes() {
    assert_reads(fixture!("invoice_paid"), vec![Effect::Paid(renewal())]).await;
    let older =
        Payment { payment_intent: Some("pi_3SXk1".into()), charge: Some("ch_3SXk".into()), account: None, ..renewal() };
    assert_reads(fixture!("invoice_paid_2020"), vec![link(), Effect::Paid(older)]).await;
    assert_reads(fixture!("invoice_payment_paid"), vec![link()]).await;
}

#[tokio::test]
async fn a_renewal_that_failed_is_read() {
    let failure = InvoiceFailure {
        invoice: "in_1SXk".into(),
        subscription: Some("sub_1SXk".into()),
        customer: Some("cus_TUv1".into()),
        account: account(),
        first: false,
        action_required: false,
        as_of: CREATED,
    };
    assert_reads(fixture!("invoice_payment_failed"), vec![Effect::InvoiceFailed(failure)]).await;
}

#[tokio::test]
async fn a_subscription_is_read_the_same_in_new_and_old_shapes() {
    let report = SubscriptionReport {
        subscription: "sub_1SXk".into(),
        customer: Some("cus_TUv1".into()),
        account: account(),
        status: SubscriptionStatus::Active,
        was: Some(SubscriptionStatus::PastDue),
        invoice: Some("in_1SXk".into()),
        plan: Some("team".into()),
        period_end: Some(PERIOD_END),
        cancel_at_period_end: false,
        trial_end: None,
        as_of: CREATED,
    };
    assert_reads(fixture!("subscription_updated"), vec![Effect::SubscriptionSeen(report.clone())]).await;
    assert_reads(fixture!("subscription_updated_2020"), vec![Effect::SubscriptionSeen(report)]).await;
}

fn reversal(invoice: Option<&str>, kind: ReversalKind) -> Vec<Effect> {
    let payment = PaymentRef {
        invoice: invoice.map(str::to_owned),
        payment_intent: Some("pi_3SXk1".into()),
        charge: Some("ch_3SXk".into()),
    };
    vec![Effect::Reversed(Reversal { payment, kind, at: CREATED })]
}

#[tokio::test]
async fn money_that_went_back_is_read() {
    let refund = ReversalKind::Refund { charge: "ch_3SXk".into(), refunded: 3_300, amount: 9_900 };
    assert_reads(fixture!("charge_refunded"), reversal(None, refund.clone())).await;
    assert_reads(fixture!("charge_refunded_2020"), reversal(Some("in_1SXk"), refund)).await;
    let dispute = ReversalKind::Dispute { dispute: "du_1SXk".into() };
    assert_reads(fixture!("dispute_created"), reversal(None, dispute)).await;
}

#[tokio::test]
async fn a_customer_and_a_price_are_read() {
    let customer = Effect::CustomerSeen {
        customer: "cus_TUv1".into(),
        account: account(),
        email: Some("ada@example.com".into()),
        as_of: CREATED,
    };
    assert_reads(fixture!("customer_updated"), vec![customer]).await;
    let offer = Offer {
        price: "price_tollgate_team".into(),
        product: "prod_tollgate_team".into(),
        amount: Some(9_900),
        currency: "usd".into(),
        interval: Some("month".into()),
        active: false,
        product_active: true,
        name: "Team".into(),
        as_of: CREATED,
    };
    assert_reads(fixture!("price_updated"), vec![Effect::OfferSeen(offer)]).await;
}

#[tokio::test]
async fn a_type_that_nobody_acts_on_is_passed_over() {
    let mut event = fixture!("customer_updated");
    event["type"] = json!("entitlements.active_entitlement_summary.updated");
    assert_eq!(read(&event).await, Reading::Ignored);
}
