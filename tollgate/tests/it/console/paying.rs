//! A payment fails: what is refused, what the screen says, the way out, and that paying opens everything again.

use metering::Status;
use serde_json::json;

use super::shop;
use crate::browser::{Browser, Scripts};
use crate::stack::Role;

#[tokio::test]
async fn a_failed_payment_is_told_with_the_way_out_and_paying_there_opens_everything_again() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let ann = stack.newcomer().await;
    stack.buy(&ann, "team").await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    let subscription = stack.subscription(&ann).await.subscription;
    stack.stripe().order(&format!("subscriptions/{subscription}/renew"), &json!({ "card": "failing" })).await;
    stack.wait_told().await;
    browser.sees("The status has changed.").await; // the open page notices
    browser.press("Load this page again").await;
    browser.sees("The last payment failed.").await;
    browser.sees("New messages and API calls are refused, and draw no credits.").await;
    assert_eq!(browser.value_of("Status").await, "Payment failed");
    let before = browser.value_of("Remaining").await;
    assert_eq!(stack.call(&ann).await, "402 payment_failed");
    browser.refresh().await;
    assert_eq!(browser.value_of("Remaining").await, before, "a refused call costs nothing");
    let support = browser.named("Contact support").await.attr("href").await.unwrap();
    assert_eq!(support.as_deref(), Some("https://support.example/"));

    browser.goes_to(&stack, "/keys").await;
    browser.sees("laptop").await;
    browser.sees("Keys stay listed, and work again when the account does.").await;

    browser.goes_to(&stack, "/billing").await;
    browser.press("Open the customer portal").await;
    browser.sees("prod_tollgate_team is past_due").await;
    browser.press("Use a card that pays").await;
    browser.press("Pay the open 99.00 USD").await;
    browser.sees("prod_tollgate_team is active").await;
    browser.press("Go back").await;
    stack.wait_told().await;
    browser.goes_to(&stack, "/billing").await;
    browser.does_not_see("The last payment failed.").await;
    assert_eq!(browser.value_of("Status").await, "Active");
    assert_eq!(stack.call(&ann).await, "200");
    browser.leaves().await;
    stack.audit().await;
}

#[tokio::test]
async fn suspended_and_pending_accounts_are_told_so_and_whom_to_ask() {
    let Some(browser) = Browser::start(Scripts::Off).await else { return };
    let stack = shop().await;
    for (status, words, refusal) in [
        (Status::Suspended, "This account is suspended.", "403 account_suspended"),
        (Status::Pending, "This account is not active yet.", "403 account_pending"),
        (Status::PaymentFailed, "The last payment failed.", "402 payment_failed"),
    ] {
        let ann = stack.customer_with(status, 50).await;
        stack.wait_carried().await;
        browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
        browser.sees(words).await;
        browser.sees("draw no credits").await;
        browser.named("Contact support").await;
        assert_eq!(stack.call(&ann).await, refusal);
        assert_eq!(browser.value_of("Remaining").await, "50", "nothing is lost");
    }
}
