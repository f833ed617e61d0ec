//! A secret is known to Stripe and to the program's memory: it stands in no log and no metric, whatever is done.

use ledger::testing::database;

use crate::process::{SECRET, Webhook, settled};
use crate::signed::{Signed, plain, sign_now, stray_refund};

const API_KEY: &str = "sk_test_0123456789abcdef0123456789";
/// Part of a person's address in an event.
const EMAIL: &str = "somebody-private@example.com";

#[tokio::test]
async fn no_secret_signature_or_address_stands_in_a_log_or_a_metric() {
    let book = database().await;
    let stripe = format!(
        "stripe.api_key = \"{API_KEY}\"\nstripe.api_url = \"http://127.0.0.1:9\"\nreconcile.interval_ms = 200\nlog.level = \"trace\""
    );
    let webhook = Webhook::start_on(&book.url, &stripe);
    webhook.wait_ready().await;
    let mut body = stray_refund("evt_1");
    body["data"]["object"]["billing_details"] = serde_json::json!({ "email": EMAIL });
    let good = sign_now(SECRET, body.to_string().as_bytes());
    let unsigned = Signed { body: good.body.clone(), headers: Vec::new() };
    let secret_for_signature = Signed { body: good.body.clone(), headers: vec![SECRET.to_owned()] };
    for signed in [&good, &unsigned, &secret_for_signature, &sign_now("whsec_other", &good.body)] {
        webhook.post(signed).await;
    }
    let broken = sign_now(SECRET, format!("{{\"id\":\"{EMAIL}\",\"email\":\"{EMAIL}").as_bytes());
    webhook.post(&broken).await;
    webhook.deliver(&plain("evt_2")).await;
    settled(&book, "evt_1").await;
    crate::process::wait_until("Stripe was asked in vain", async || {
        webhook.metric("tollgate_webhook_reconcile_failures_total").await > 0
    })
    .await;
    let (log, metrics) = (webhook.log(), webhook.admin("/metrics").await.unwrap().1);
    assert!(log.contains("evt_1") && metrics.contains("tollgate_webhook_parked_total"), "something is told");
    let digest = good.headers[0].rsplit_once("v1=").unwrap().1;
    for secret in [SECRET, &SECRET[6..], API_KEY, &API_KEY[8..], digest, EMAIL] {
        for (place, text) in [("the log", &log), ("the metrics", &metrics)] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} stands in {place}");
        }
    }
}
