//! The operators' side: finding an account, granting, moving an expiry, and the trace of it.

use metering::Status;

use super::house;
use crate::browser::{Browser, Scripts};
use crate::stack::{Call, Role, wait_until};

#[tokio::test]
async fn an_operator_grants_a_lot_and_moves_its_expiry_and_the_audit_shows_both() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = house().await;
    let ann = stack.customer(100).await;
    browser.signs_in(&stack, &ann, Role::Operator, "/operator").await;
    browser.fill("Name, address, account id, key or Stripe customer", "Ada").await;
    browser.press("Search").await;
    browser.press("Ada").await;
    assert_eq!(browser.value_of("Remaining").await, "100");

    browser.press("Grant credits").await;
    browser.fill("Credits", "250").await;
    browser.fill("Product", "Goodwill").await;
    browser.set("Expires (UTC)", "2027-05-01T00:00").await;
    browser.press("Preview grant").await;
    browser.sees("Say why").await;
    browser.fill("Reason", "an outage last week").await;
    browser.press("Preview grant").await;
    browser.sees("Nothing has been changed yet.").await;
    browser.sees("Remaining 100 350").await;
    browser.press("Grant credits").await;
    browser.sees("Credits granted.").await;
    wait_until("it can be drawn", async || stack.remaining(&ann).await == 350).await;

    let view = stack.view(&ann).await;
    let lot = view.lots.iter().find(|lot| lot.product == "Goodwill").unwrap().lot;
    browser.goes_to(&stack, &format!("/operator/accounts/{}", ann.account)).await;
    browser.press(&format!("Move the expiry of {lot}")).await;
    browser.set("New expiry (UTC)", "2026-12-24T12:00").await;
    browser.fill("Reason", "by mistake too long").await;
    browser.press("Preview change").await;
    browser.sees("Expires 2027-05-01 00:00 UTC 2026-12-24 12:00 UTC").await;
    browser.press("Move expiry").await;
    browser.sees("Expiry moved.").await;

    browser.press("Audit").await;
    for words in ["olga@tollgate.example", "an outage last week", "by mistake too long"] {
        browser.sees(words).await;
    }
    browser.signs_in(&stack, &ann, Role::Member, "/billing").await;
    browser.sees("Goodwill").await;
    browser.sees("2026-12-24 12:00 UTC").await;
    browser.sees("Lots and their expiry are managed by operators.").await;
    assert!(
        browser.elements("#lots form, #lots button, #lots a[href*='/lots/']").await.is_empty(),
        "no control of them"
    );
    browser.press("Activity").await;
    browser.press("Lot of 250 Goodwill credits granted, until 2027-05-01 00:00 UTC").await;
    browser.sees("an outage last week").await;
    browser.leaves().await;
    stack.audit().await;
}

#[tokio::test]
async fn an_operator_approves_suspends_and_reopens_an_account_and_verifies_it() {
    let Some(browser) = Browser::start(Scripts::Off).await else { return };
    let stack = house().await;
    let ann = stack.customer_with(Status::Pending, 100).await;
    stack.wait_carried().await;
    let account = format!("/operator/accounts/{}", ann.account);
    browser.signs_in(&stack, &ann, Role::Operator, &account).await;
    for (word, status, call) in [
        ("Approve", "Operator-approved", "200"),
        ("Suspend", "Suspended", "403 account_suspended"),
        ("Reopen", "Pending", "403 account_pending"),
        ("Approve", "Operator-approved", "200"),
    ] {
        browser.press(word).await;
        browser.fill("Reason", "to see what it does").await;
        browser.press("Preview change").await;
        browser.press(&format!("{word} account")).await;
        browser.sees("Status set.").await;
        assert_eq!(browser.value_of("Status").await, status);
        wait_until(call, async || stack.call(&ann).await == call).await;
    }
    stack.audit().await;
    browser.press("Verify now").await;
    browser.sees("Every number of the book was recomputed from its entries.").await;
    assert_eq!(browser.value_of("Difference").await, "0");
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    browser.press("40 credits").await;
    browser.sees("Budget saved.").await;
    browser.sees("difference 0").await;
}

#[tokio::test]
async fn what_expires_first_is_drawn_first_and_what_has_expired_is_drawn_no_more() {
    let Some(browser) = Browser::start(Scripts::Off).await else { return };
    let stack = house().await;
    let ann = stack.customer(100).await;
    let soon = stack.grant(ann.account, 10, 86_400_000).await;
    stack.wait_carried().await;
    browser.signs_in(&stack, &ann, Role::Operator, "/billing").await;
    let first = browser.element("#lots tbody tr").await;
    assert!(first.text().await.unwrap().contains(&soon.to_string()), "in the order in which they are drawn");
    assert_eq!(stack.send(&ann.key, Call::batch(4)).await.status, 200);
    let left = async || {
        browser.refresh().await;
        let cells = browser.elements("#lots tbody td:nth-child(5)").await;
        let mut left = Vec::new();
        for cell in cells {
            left.push(cell.text().await.unwrap());
        }
        left
    };
    assert_eq!(left().await, ["6", "100"]);

    browser.goes_to(&stack, &format!("/operator/accounts/{}/lots/{soon}/void", ann.account)).await;
    browser.fill("Reason", "granted twice").await;
    browser.press("Preview").await;
    browser.press("Void lot").await;
    browser.sees("Lot voided").await;
    wait_until("it can't be drawn any more", async || stack.remaining(&ann).await == 100).await;
    browser.goes_to(&stack, "/billing").await;
    browser.press("Expired and used up (1)").await;
    browser.sees(&soon.to_string()).await;
    assert_eq!(stack.send(&ann.key, Call::batch(100)).await.status, 200);
    assert_eq!(stack.send(&ann.key, Call::chat()).await.problem(), "402 credits_exhausted");
    browser.refresh().await;
    browser.sees("There are no credits left.").await;
    stack.audit().await;
}
