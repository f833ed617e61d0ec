//! The pages that people see, and their buttons.

use serde_json::json;

use crate::pretend::{Pretend, id};

async fn page(stripe: &Pretend, path: &str) -> String {
    stripe.client.get(format!("{}{path}", stripe.url)).send().await.expect("an answer").text().await.expect("text")
}

async fn press(stripe: &Pretend, path: &str, body: &'static str) -> reqwest::Response {
    let request = stripe.client.post(format!("{}{path}", stripe.url)).body(body);
    request.header("content-type", "application/x-www-form-urlencoded").send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn pay_fail_and_cancel_do_what_they_say() {
    let stripe = Pretend::with_prices().await;
    let session = stripe.session("subscription", "price_pro", &[]).await;
    let path = session["url"].as_str().unwrap().trim_start_matches(&stripe.url).to_owned();
    let shown = page(&stripe, &path).await;
    for part in
        ["test double", "20.00 EUR", "<html lang=\"en\">", "href=\"http://127.0.0.1:1/back\"", "prefers-color-scheme"]
    {
        assert!(shown.contains(part), "{part} is not on {shown}");
    }
    let failed = press(&stripe, &format!("{path}/fail"), "email=").await;
    assert_eq!(failed.status(), 200);
    assert!(failed.text().await.unwrap().contains("Your card was declined."));
    let paid = press(&stripe, &format!("{path}/pay"), "email=carl%40example.com").await;
    assert_eq!(paid.status(), 303);
    let to = format!("http://127.0.0.1:1/done?session={}", id(&session));
    assert_eq!(paid.headers()["location"], to.as_str());
    let session = stripe.get(&format!("/v1/checkout/sessions/{}", id(&session))).await;
    assert_eq!(session["customer_details"]["email"], "carl@example.com");
    assert!(page(&stripe, &path).await.contains("This session is complete."));
    assert_eq!(press(&stripe, &format!("{path}/pay"), "").await.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_named_is_shown_as_text() {
    let stripe = Pretend::start().await;
    let seed = json!({ "name": "<script>x</script>", "price": "price_x", "amount": 5, "currency": "eur" });
    stripe.control("prices", seed).await;
    let more = [("cancel_url", "javascript:alert(1)")];
    let session = stripe.session("payment", "price_x", &[]).await;
    let path = session["url"].as_str().unwrap().trim_start_matches(&stripe.url).to_owned();
    assert!(page(&stripe, &path).await.contains("&lt;script&gt;"));
    let form =
        [("mode", "payment"), ("line_items[0][price]", "price_x"), ("success_url", "http://127.0.0.1/"), more[0]];
    let session = stripe.post("/v1/checkout/sessions", &form).await;
    let path = session["url"].as_str().unwrap().trim_start_matches(&stripe.url).to_owned();
    assert!(!page(&stripe, &path).await.contains("javascript:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_changes_cards_pays_and_cancels() {
    let stripe = Pretend::with_prices().await;
    let subscription = stripe.subscriber("price_pro").await;
    let customer = subscription["customer"].as_str().unwrap();
    let form = [("customer", customer), ("return_url", "http://127.0.0.1:1/billing")];
    let portal = stripe.post("/v1/billing_portal/sessions", &form).await;
    let path = portal["url"].as_str().unwrap().trim_start_matches(&stripe.url).to_owned();
    assert!(page(&stripe, &path).await.contains("prod_pro is active"));
    press(&stripe, &format!("{path}/failing-card"), "").await;
    let renewed = stripe.control(&format!("subscriptions/{}/renew", id(&subscription)), json!({})).await;
    assert_eq!(renewed["subscription"]["status"], "past_due");
    assert!(page(&stripe, &path).await.contains("Pay the open 20.00 EUR"));
    press(&stripe, &format!("{path}/good-card"), "").await;
    press(&stripe, &format!("{path}/pay.{}", id(&renewed["invoice"])), "").await;
    assert!(page(&stripe, &path).await.contains("prod_pro is active"));
    press(&stripe, &format!("{path}/cancel-later.{}", id(&subscription)), "").await;
    assert!(page(&stripe, &path).await.contains("ends with its period"));
    press(&stripe, &format!("{path}/keep.{}", id(&subscription)), "").await;
    let other = stripe.subscriber("price_pro").await;
    assert_eq!(press(&stripe, &format!("{path}/cancel.{}", id(&other)), "").await.status(), 404, "another's");
    press(&stripe, &format!("{path}/cancel.{}", id(&subscription)), "").await;
    assert!(page(&stripe, &path).await.contains("None."));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_invoice_is_paid_on_its_own_page() {
    let stripe = Pretend::with_prices().await;
    let subscription = stripe.subscriber("price_pro").await;
    let renewed =
        stripe.control(&format!("subscriptions/{}/renew", id(&subscription)), json!({ "card": "failing" })).await;
    let url = renewed["invoice"]["hosted_invoice_url"].as_str().unwrap();
    let path = url.trim_start_matches(&stripe.url).to_owned();
    assert!(press(&stripe, &format!("{path}/pay"), "").await.text().await.unwrap().contains("The card was declined."));
    let customer = subscription["customer"].as_str().unwrap();
    stripe.control(&format!("customers/{customer}/card"), json!({ "card": "good" })).await;
    assert!(press(&stripe, &format!("{path}/pay"), "").await.text().await.unwrap().contains("is paid"));
}
