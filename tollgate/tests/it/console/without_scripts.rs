//! The whole story of a customer in a browser that runs no script.

use metering::Status;

use super::shop;
use crate::browser::{Browser, Scripts};
use crate::stack::{Call, Role};

#[tokio::test]
async fn a_customer_needs_no_script_to_buy_set_a_budget_make_a_key_and_read_a_receipt() {
    let Some(browser) = Browser::start(Scripts::Off).await else { return };
    let stack = shop().await;
    let ann = stack.newcomer().await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    browser.press("Buy Credit pack").await;
    browser.sees("This is a test double of Stripe.").await;
    browser.press("Pay").await;
    stack.wait_told().await;
    browser.sees_after_refresh("Done: 2 500 credits are there").await;
    assert_eq!(stack.standing(&ann).await, (Status::Active, vec![2_500]));

    browser.goes_to(&stack, "/billing").await;
    browser.press("80 credits").await;
    browser.sees("Budget saved.").await;
    browser.fill("Credits a month", "60").await;
    browser.press("Save budget").await;
    browser.value_becomes("Budget limit", "60 credits").await;

    browser.press("API keys").await;
    browser.press("New key").await;
    browser.fill("Name", "laptop").await;
    browser.press("Create key").await;
    let key = browser.element("#secret").await.text().await.unwrap();
    assert!(
        browser.elements("[data-copy]:not([hidden])").await.is_empty(),
        "a button that needs a script is not shown"
    );
    stack.wait_carried().await;
    assert_eq!(stack.send(&key, Call::batch(60)).await.status, 200);
    assert_eq!(stack.send(&key, Call::chat()).await.problem(), "402 budget_exhausted");

    browser.press("Billing").await;
    browser.sees_after_refresh("The budget of this period is used up").await;
    browser.sees_after_refresh("batch").await; // the receipt is in the book
    browser.element("a[href^='/receipts/']").await.click().await.unwrap();
    browser.sees("Lots drawn").await;
    assert_eq!(browser.value_of("Drawn").await, "60 credits");
    for page in ["Activity", "Settings"] {
        browser.press(page).await;
        browser.sees(page).await;
    }
    browser.press("Chat").await;
    browser.sees("Pretend chat").await;
    browser.leaves().await;
    stack.audit().await;
}
