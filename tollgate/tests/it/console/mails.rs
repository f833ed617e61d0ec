//! Notices: asked for in the settings, sent once, and with evidence that tells a setting from a delivery.

use serde_json::json;

use super::shop_with_notices;
use crate::browser::{Browser, Scripts};
use crate::stack::{Call, Role};

const ADDRESS: &str = "ann@example.org";

#[tokio::test]
async fn one_mail_tells_of_a_low_balance_and_what_became_of_it_can_be_read() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop_with_notices().await;
    let ann = stack.customer(100).await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/settings").await;
    browser.fill("Recipients", ADDRESS).await;
    browser.press("Save settings").await;
    browser.sees("Settings saved.").await;

    assert_eq!(stack.send(&ann.key, Call::batch(79)).await.status, 200);
    stack.audit().await;
    assert!(stack.notices().mails().await.is_empty(), "21 of 100 is not low");
    assert_eq!(stack.send(&ann.key, Call::chat()).await.status, 200);
    let mail = stack.notices().mail("20 of 100 credits left").await;
    assert_eq!(mail["to"], json!([ADDRESS]));
    assert!(mail["text"].as_str().unwrap().contains(&format!("{}/billing", stack.console().url)), "{mail}");
    assert_eq!(stack.send(&ann.key, Call::batch(10)).await.status, 200);
    stack.audit().await;

    browser.goes_to(&stack, "/settings").await;
    browser.sees_after_refresh("Sent").await;
    let bounced = json!({
        "id": "e1", "message_id": mail["message_id"], "kind": "bounced", "address": ADDRESS, "at": "2026-11-26T03:59:00Z",
        "detail": "550 5.1.1 no such user",
    });
    stack.provider_tells(&bounced).await;
    browser.sees_after_refresh("Bounced").await;
    browser.press("Evidence").await;
    browser.sees("no such user").await;
    browser.press("Activity").await;
    browser.choose("About", "Mails").await;
    browser.press("Show").await;
    browser.sees("ann@example.org").await;
    assert_eq!(stack.notices().mails().await.len(), 1, "once for the threshold");

    browser.signs_in(&stack, &ann, Role::Operator, "/operator/mails").await;
    browser.sees("Delivery: An address does not take it. It was said: 550 5.1.1 no such user").await;
}

#[tokio::test]
async fn lifecycle_mails_follow_the_signed_deliveries_unless_the_account_wants_none() {
    let Some(browser) = Browser::start(Scripts::Off).await else { return };
    let stack = shop_with_notices().await;
    let ann = stack.newcomer().await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/settings").await;
    browser.fill("Recipients", ADDRESS).await;
    browser.press("Save settings").await;
    browser.sees("Settings saved.").await;
    browser.press("Billing").await;
    browser.press("Choose Team").await;
    browser.press("Pay").await;
    let granted = stack.notices().mail("000 credits granted").await;
    assert_eq!(granted["to"], json!([ADDRESS]));
    stack.notices().mail("The plan is active").await;

    browser.goes_to(&stack, "/settings").await;
    browser.field("Plan and payments").await.click().await.unwrap();
    browser.press("Save settings").await;
    browser.sees("Settings saved.").await;
    let subscription = stack.subscription(&ann).await.subscription;
    stack.stripe().order(&format!("subscriptions/{subscription}/renew"), &json!({ "card": "failing" })).await;
    stack.wait_told().await;
    browser.sees_after_refresh("Held back").await;
    assert_eq!(stack.notices().mails().await.len(), 2);
    browser.signs_in(&stack, &ann, Role::Operator, "/operator/mails").await;
    browser.sees("Setting: The account has turned these notices off in its settings.").await;
}
