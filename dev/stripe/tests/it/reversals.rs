//! Money that goes back.

use serde_json::json;

use crate::pretend::{Pretend, answer, find, id};

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_two_parts_adds_up_and_no_more_is_given_back() {
    let stripe = Pretend::with_prices().await;
    let intent = stripe.paid_pack().await;
    stripe.post("/v1/refunds", &[("payment_intent", &intent), ("amount", "300")]).await;
    let events = stripe.events().await;
    let charge = &find(&events, "charge.refunded")["data"];
    assert_eq!((&charge["object"]["amount_refunded"], &charge["object"]["refunded"]), (&json!(300), &json!(false)));
    assert_eq!(charge["previous_attributes"], json!({ "amount_refunded": 0 }));
    let (status, refused) =
        answer(stripe.posting("/v1/refunds", &[("payment_intent", &intent), ("amount", "601")])).await;
    assert_eq!((status, &refused["error"]["param"]), (400, &json!("amount")));
    stripe.control("refunds", json!({ "of": intent })).await;
    let events = stripe.events().await;
    let charge = &find(&events, "charge.refunded")["data"]["object"];
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(900), &json!(true)));
    let (_, refused) = answer(stripe.posting("/v1/refunds", &[("payment_intent", &intent)])).await;
    assert_eq!(refused["error"]["code"], "charge_already_refunded");
    let refunds = stripe.get(&format!("/v1/refunds?payment_intent={intent}")).await;
    assert_eq!(refunds["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_won_or_lost_and_only_once() {
    let stripe = Pretend::with_prices().await;
    for (won, ends) in [(true, "won"), (false, "lost")] {
        let intent = stripe.paid_pack().await;
        let dispute = stripe.control("disputes", json!({ "of": intent })).await;
        assert_eq!((&dispute["amount"], &dispute["status"]), (&json!(900), &json!("needs_response")));
        assert_eq!(stripe.kinds().await, ["charge.dispute.created", "charge.dispute.funds_withdrawn"]);
        let closed = stripe.control(&format!("disputes/{}/close", id(&dispute)), json!({ "won": won })).await;
        assert_eq!(closed["status"], ends);
        let kinds = stripe.kinds().await;
        assert_eq!(kinds[0], "charge.dispute.closed");
        assert_eq!(kinds.get(1).is_some_and(|kind| kind == "charge.dispute.funds_reinstated"), won);
        let again = stripe.request("POST", &format!("/_pretend/disputes/{}/close", id(&dispute)));
        assert_eq!(answer(again.body(json!({ "won": won }).to_string())).await.0, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_invoice_of_a_subscription_can_be_refunded_and_disputed_by_its_own_id() {
    let stripe = Pretend::with_prices().await;
    let subscription = stripe.subscriber("price_pro").await;
    let invoice = &subscription["latest_invoice"];
    stripe.control("refunds", json!({ "of": invoice, "amount": 500 })).await;
    stripe.control("disputes", json!({ "of": invoice })).await;
    let events = stripe.events().await;
    let charge = &find(&events, "charge.refunded")["data"]["object"];
    let dispute = &find(&events, "charge.dispute.created")["data"]["object"];
    assert_eq!((&dispute["charge"], &dispute["payment_intent"]), (&charge["id"], &charge["payment_intent"]));
}
