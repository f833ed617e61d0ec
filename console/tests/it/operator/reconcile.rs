//! Stripe held against the book when somebody asks, and mended when he says so.

use metering::Status;
use reqwest::Method;
use serde_json::json;

use super::{Steps, WHY, operator};
use crate::house::{House, Plan};

#[tokio::test]
async fn a_payment_that_was_never_delivered_is_found_shown_and_mended_once() {
    let house = House::with(Plan { stripe: true, ..Plan::default() }).await;
    let ann = house.account("Ann", Status::Active, 0).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let agreed = house.form(&olga, "/operator/reconcile", &[("since", "")]).await;
    assert!(agreed.says("Stripe and the book agree."), "{agreed:?}");

    // Ann buys a pack; Stripe tells nobody.
    house.stripe().order("switches", &json!({ "drop": ["*"] })).await;
    let owner = house.person(ann, "billing_owner");
    let opened =
        house.ask(Method::POST, "/api/billing/checkout").of(&owner).json(&json!({ "plan": "pack" })).send().await;
    assert!(opened.status < 300, "{opened:?}");
    let session = house.book.text("SELECT session FROM stripe_checkouts").await;
    house.stripe().order(&format!("sessions/{session}/pay"), &json!({})).await;
    let report = house.form(&olga, "/operator/reconcile", &[("since", "")]).await;
    assert!(report.says("paid not granted") && report.says(&ann.to_string()), "{report:?}");
    let remaining = async || house.book.ledger.account_view(ann, house.now().await).await.unwrap().remaining.get();
    assert_eq!(remaining().await, 0, "looking mends nothing");

    let repair = "/operator/reconcile/repair";
    steps.insists_on_a_reason(repair, &[("since", "")]).await;
    let (page, carried) = steps.preview(repair, &[("since", ""), ("reason", WHY)]).await;
    assert!(page.says("paid not granted"), "{page:?}");
    assert_eq!(remaining().await, 0, "previewing mends nothing");
    let done = steps.confirm(repair, &carried).await;
    assert!(done.says("Mended: 1 of 1. Left: 0."), "{done:?}");
    let granted = remaining().await;
    assert!(granted > 0);
    let by = "SELECT actor || ': ' || reason FROM audit WHERE action = 'lot_granted'";
    assert_eq!(house.book.text(by).await, format!("olga@example.org: {WHY}"));
    let again = steps.confirm(repair, &carried).await;
    assert!(again.says("Mended: 1 of 1. Left: 0."), "told again, not done again: {again:?}");
    assert_eq!(remaining().await, granted);
    let nothing = house.form(&olga, repair, &[("since", ""), ("reason", WHY)]).await;
    assert!(nothing.status == 422 && nothing.says("there is nothing to mend"), "{nothing:?}");
    let wrong = house.form(&olga, "/operator/reconcile", &[("since", "last week")]).await;
    assert!(wrong.status == 422 && wrong.says("A day, as 2026-11-26."), "{wrong:?}");
    let api = house.post(&olga, "/api/operator/reconcile", &json!({ "reason": WHY })).await.json();
    assert_eq!((&api["left"], &api["differences"]), (&json!(0), &json!([])), "{api}");
}

#[tokio::test]
async fn without_stripe_there_is_nothing_to_compare_and_the_page_says_so() {
    let house = House::start().await;
    let olga = operator(&house).await;
    let page = house.get(&olga, "/operator/reconcile").await;
    assert!(page.says("Stripe is not configured here") && page.says("disabled aria-describedby=\"off\""), "{page:?}");
    let refused = house.form(&olga, "/operator/reconcile", &[("since", "")]).await;
    assert_eq!(refused.refused_page(), "409 stripe_not_configured");
    let api = house.post(&olga, "/api/operator/reconcile", &json!({ "reason": WHY })).await;
    assert_eq!(api.problem(), "409 stripe_not_configured");
}
