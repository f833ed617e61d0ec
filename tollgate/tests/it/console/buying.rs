//! Somebody new buys a plan: what can't be done before and why, Stripe's page, the wait for its word, and what is there then.

use metering::Status;
use serde_json::json;

use super::shop;
use crate::browser::{Browser, Scripts};
use crate::stack::Role;

#[tokio::test]
async fn a_newcomer_buys_a_plan_and_gets_the_credits_when_the_signed_delivery_is_there_and_not_before() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let ann = stack.newcomer().await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    assert_eq!(browser.value_of("Status").await, "Pending");
    browser.sees("This account is not active yet.").await;
    for (control, reason) in [
        ("Save budget", "Budget controls appear after the account is approved."),
        ("No cap", "Budget controls appear after the account is approved."),
        ("Customer portal", "There is no customer at Stripe yet"),
        ("Choose Scale", "price"),
    ] {
        let why = browser.is_off_because(control).await;
        assert!(why.contains(reason), "{control}: {why}");
    }
    assert!(!browser.field("Credits a month").await.is_enabled().await.unwrap());

    stack.stripe().order("switches", &json!({ "hold": true })).await;
    browser.press("Choose Team").await;
    browser.sees("This is a test double of Stripe.").await;
    browser.sees("99.00 USD").await;
    browser.press("Pay").await;
    browser.sees("We are waiting for Stripe's confirmation.").await;
    assert_eq!(browser.value_of("Remaining").await, "0", "coming back from Stripe proves nothing");
    assert_eq!(stack.standing(&ann).await, (Status::Pending, vec![]));

    stack.stripe().order("deliveries/release", &json!({})).await;
    stack.stripe().order("switches", &json!({})).await;
    browser.sees("Done: 12 000 credits are there").await; // the page looks again by itself
    stack.wait_told().await;
    browser.goes_to(&stack, "/billing").await;
    let values = [browser.value_of("Remaining").await, browser.value_of("Used (this period)").await];
    assert_eq!(values, ["12 000", "0"]);
    assert_eq!(browser.value_of("Status").await, "Active");
    browser.sees("12 000 shared credits").await;
    browser.is_off_because("Current plan").await;
    browser.sees("In the order in which they are drawn: what expires first goes first.").await;
    assert_eq!(stack.call(&ann).await, "200");

    browser.press("Customer portal").await;
    browser.sees("prod_tollgate_team is active").await;
    browser.press("Cancel at the end of the period").await;
    browser.press("Go back").await;
    browser.sees_after_refresh("The plan is cancelled and ends with its period").await;
    browser.leaves().await;
    stack.audit().await;
}

#[tokio::test]
async fn who_gives_up_at_stripe_is_where_he_was_and_may_try_again() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let ann = stack.newcomer().await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    browser.press("Buy Credit pack").await;
    browser.sees("This is a test double of Stripe.").await;
    browser.press("Fail: a card that is declined").await;
    browser.sees("declined").await;
    browser.press("Cancel and go back").await;
    browser.sees("This account is not active yet.").await;
    assert_eq!(stack.standing(&ann).await, (Status::Pending, vec![]));
    browser.press("Choose Starter").await;
    browser.press("Pay").await;
    browser.sees("Done: 100 credits are there").await;
    browser.goes_to(&stack, "/billing").await;
    assert_eq!(browser.value_of("Status").await, "Trial");
    browser.sees("The trial ends").await;
}

#[tokio::test]
async fn a_member_sees_everything_and_is_told_who_may_change_it() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let ann = stack.customer(40).await;
    browser.signs_in(&stack, &ann, Role::Member, "/billing").await;
    assert_eq!(browser.value_of("Remaining").await, "40");
    for control in ["Choose Team", "New key"] {
        if control == "New key" {
            browser.goes_to(&stack, "/keys").await;
        }
        let why = browser.is_off_because(control).await;
        assert!(why.starts_with("An admin or the billing owner"), "{control}: {why}");
    }
    browser.does_not_see("Operator").await;
}
