//! The API as a caller sees it: keys, errors, pages, what is expanded, and when it is out of order.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::pretend::{Pretend, answer, find, id};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_key_opens_it() {
    let stripe = Pretend::start().await;
    let url = format!("{}/v1/customers", stripe.url);
    for request in [stripe.client.get(&url), stripe.client.get(&url).bearer_auth("sk_test_other")] {
        let (status, refused) = answer(request).await;
        assert_eq!((status, &refused["error"]["type"]), (401, &json!("invalid_request_error")));
    }
    let said =
        stripe.request("GET", "/v1/customers").header("stripe-version", "2027-01-01.later").send().await.unwrap();
    assert_eq!(said.headers()["stripe-version"], "2027-01-01.later");
    assert!(said.headers().contains_key("request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_in_stripes_words() {
    let stripe = Pretend::with_prices().await;
    stripe.post("/v1/prices/price_max", &[("active", "false")]).await;
    let get = |path: &str| stripe.request("GET", path);
    let session = |mode: &'static str, price: &'static str| {
        let form = [("mode", mode), ("line_items[0][price]", price), ("success_url", "http://127.0.0.1/")];
        stripe.posting("/v1/checkout/sessions", &form)
    };
    for (request, status, pointer, told) in [
        (get("/v1/customers/cus_nobody"), 404, "code", "resource_missing"),
        (get("/v1/nothing"), 404, "type", "invalid_request_error"),
        (get("/v1/prices?limit=101"), 400, "param", "limit"),
        (stripe.posting("/v1/checkout/sessions", &[("mode", "payment")]), 400, "param", "line_items"),
        (session("payment", "price_pro"), 400, "param", "mode"),
        (session("subscription", "price_pack"), 400, "param", "mode"),
        (session("subscription", "price_max"), 400, "param", "line_items[0][price]"),
        (session("payment", "price_nothing"), 400, "code", "resource_missing"),
        (stripe.posting("/v1/billing_portal/sessions", &[("customer", "cus_nobody")]), 400, "param", "customer"),
    ] {
        let (got, body) = answer(request).await;
        assert_eq!((got, &body["error"][pointer]), (status, &json!(told)), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_gone_through_page_by_page() {
    let stripe = Pretend::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(stripe.customer().await);
    }
    made.reverse();
    let ids = |page: &Value| page["data"].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
    let mut seen = Vec::new();
    let mut page = stripe.get("/v1/customers?limit=2").await;
    loop {
        seen.extend(ids(&page));
        if page["has_more"] == false {
            break;
        }
        page = stripe.get(&format!("/v1/customers?limit=2&starting_after={}", seen.last().unwrap())).await;
    }
    assert_eq!(seen, made);
    let before = stripe.get(&format!("/v1/customers?limit=2&ending_before={}", made[3])).await;
    assert_eq!((ids(&before), &before["has_more"]), (made[1..3].to_vec(), &json!(true)));
    let now = stripe.get("/_pretend/clock").await["now"].as_i64().unwrap();
    assert_eq!(ids(&stripe.get(&format!("/v1/customers?created[gte]={}", now + 60)).await), [""; 0]);
    assert_eq!(ids(&stripe.get(&format!("/v1/customers?created%5Bgte%5D={}", now - 60)).await).len(), 5);
    let events = stripe.get("/v1/events?type=customer.*&limit=100").await;
    assert_eq!(events["data"].as_array().unwrap().len(), 5);
    assert_eq!(stripe.get("/v1/events?types[]=product.created").await["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_expanded() {
    let stripe = Pretend::with_prices().await;
    let session = stripe.session("subscription", "price_pro", &[("expand[]", "line_items")]).await;
    assert_eq!(session["line_items"]["data"][0]["price"]["id"], "price_pro");
    stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    let shown = stripe.get(&format!("{path}?expand[]=invoice.payments&expand[]=subscription.customer")).await;
    let payment = &shown["invoice"]["payments"]["data"][0];
    assert_eq!(payment["status"], "paid");
    assert_eq!(shown["subscription"]["customer"]["object"], "customer");
    let invoice = id(&shown["invoice"]);
    let by_invoice =
        stripe.get(&format!("/v1/invoice_payments?invoice={invoice}&expand[]=data.payment.payment_intent")).await;
    assert_eq!(by_invoice["data"][0]["payment"]["payment_intent"]["object"], "payment_intent");
    let listed = stripe.get("/v1/invoices?expand[]=data.payments").await;
    assert_eq!(&listed["data"][0]["payments"]["data"][0], payment);
    assert!(stripe.get("/v1/invoices").await["data"][0].get("payments").is_none());
    assert_eq!(stripe.get(&format!("{path}/line_items")).await["data"][0]["amount_total"], 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_and_offers_that_change_are_told() {
    let stripe = Pretend::with_prices().await;
    let customer = stripe.customer().await;
    stripe.post(&format!("/v1/customers/{customer}"), &[("email", "new@example.com"), ("metadata[account]", "")]).await;
    stripe.post("/v1/prices/price_pro", &[("active", "false")]).await;
    stripe.post("/v1/products/prod_pro", &[("name", "Pro 2")]).await;
    let events = stripe.events().await;
    let updated = &find(&events, "customer.updated")["data"];
    assert_eq!(updated["previous_attributes"]["email"], "ann@example.com");
    assert_eq!((&updated["object"]["email"], &updated["object"]["metadata"]), (&json!("new@example.com"), &json!({})));
    assert_eq!(find(&events, "price.updated")["data"]["previous_attributes"], json!({ "active": true }));
    assert_eq!(find(&events, "product.updated")["data"]["object"]["name"], "Pro 2");
    let gone = stripe.request("DELETE", &format!("/v1/customers/{customer}")).send().await.unwrap();
    assert_eq!(gone.json::<Value>().await.unwrap()["deleted"], true);
    assert_eq!(stripe.kinds().await, ["customer.deleted"]);
    assert_eq!(stripe.get("/v1/customers").await["data"], json!([]));
    assert_eq!(stripe.get(&format!("/v1/customers/{customer}")).await["deleted"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_order_it_answers_a_status_or_nothing_and_does_nothing() {
    let stripe = Pretend::start().await;
    let ask = || stripe.posting("/v1/customers", &[("email", "a@example.com")]).header("idempotency-key", "key-3");
    stripe.control("outage", json!({ "answer": "503", "times": 1 })).await;
    assert_eq!(answer(ask()).await.0, 503);
    stripe.control("outage", json!({ "answer": "hang", "times": 1 })).await;
    assert!(ask().timeout(Duration::from_secs(1)).send().await.unwrap_err().is_timeout());
    assert_eq!(stripe.get("/v1/customers").await["data"], json!([]), "nothing was done");
    stripe.control("outage", json!({ "answer": "answer_lost", "times": 1 })).await;
    assert!(ask().timeout(Duration::from_secs(1)).send().await.unwrap_err().is_timeout());
    let made = stripe.get("/v1/customers").await["data"][0].clone();
    assert_eq!(answer(ask()).await.1, made, "the lost answer is had again by its key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_one_says_so_and_none_listens_to_the_world() {
    let stripe = Pretend::start_with(&["--live"]).await;
    stripe.customer().await;
    let events = stripe.events().await;
    assert_eq!((&events[0]["livemode"], &events[0]["data"]["object"]["livemode"]), (&json!(true), &json!(true)));
    let mut open = Command::new(env!("CARGO_BIN_EXE_pretend-stripe"));
    let refused = open.args(["--listen", "0.0.0.0:0"]).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("loopback"), "{refused:?}");
}
