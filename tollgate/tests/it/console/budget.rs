//! The monthly budget: set by a preset and by typing, used up by calls, and what is then refused.

use super::house;
use crate::browser::{Browser, Scripts};
use crate::stack::{Call, Role, wait_until};

/// Until the bar stands there without the page having been loaded again. Its words would not do: a lot of which nothing was drawn when the page
/// came says "100 %" as well.
async fn bar_stands_at(browser: &Browser, percent: &str) {
    let bar = browser.element("progress[aria-label='Budget used']").await;
    wait_until(&format!("the bar stands at {percent}"), async || {
        bar.prop("value").await.unwrap().as_deref() == Some(percent)
    })
    .await;
}

#[tokio::test]
async fn a_budget_is_set_by_a_preset_and_by_typing_and_holds_for_the_next_call() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = house().await;
    let ann = stack.customer(1_000).await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    assert_eq!(browser.value_of("Budget limit").await, "No cap");
    for (preset, limit) in [
        ("800 credits", "800 credits"),
        ("200 credits", "200 credits"),
        ("80 credits", "80 credits"),
        ("40 credits", "40 credits"),
        ("No cap", "No cap"),
    ] {
        browser.press(preset).await;
        browser.value_becomes("Budget limit", limit).await;
        browser.sees("Budget saved.").await;
        assert_eq!(browser.named(preset).await.attr("aria-pressed").await.unwrap().as_deref(), Some("true"));
    }
    browser.fill("Credits a month", "25").await;
    browser.press("Save budget").await;
    browser.value_becomes("Budget limit", "25 credits").await;
    browser.sees("Budget saved.").await;
    let resets = browser.value_of("Period").await;
    assert!(resets.starts_with("Resets on 20") && resets.ends_with("(UTC)"), "{resets}");
    stack.wait_carried().await;

    assert_eq!(stack.send(&ann.key, Call::batch(20)).await.status, 200);
    bar_stands_at(&browser, "80").await;
    browser.sees("20 credits").await;
    assert_eq!(stack.send(&ann.key, Call::batch(6)).await.problem(), "402 budget_exhausted");
    assert_eq!(stack.send(&ann.key, Call::batch(5)).await.status, 200);
    bar_stands_at(&browser, "100").await;
    browser.sees("100 %").await;
    assert_eq!(stack.send(&ann.key, Call::chat()).await.problem(), "402 budget_exhausted");
    browser.refresh().await;
    browser.sees("The budget of this period is used up").await;
    assert_eq!(browser.value_of("Remaining").await, "975", "the plan's credits are still there");

    browser.press("No cap").await;
    browser.value_becomes("Budget limit", "No cap").await;
    browser.sees("Budget saved.").await;
    stack.wait_carried().await;
    assert_eq!(stack.send(&ann.key, Call::chat()).await.status, 200);
    browser.leaves().await;
    stack.audit().await;
}

#[tokio::test]
async fn what_is_no_budget_stays_as_it_was_typed_with_a_word_beside_it() {
    let Some(browser) = Browser::start(Scripts::Off).await else { return };
    let stack = house().await;
    let ann = stack.customer(1_000).await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    // The field itself refuses what is no number; so it is told to take anything, as another browser might.
    browser.press("40 credits").await;
    browser.sees("Budget saved.").await;
    browser.goes_to(&stack, "/billing").await;
    browser.fill("Credits a month", "007").await;
    browser.press("Save budget").await;
    browser.value_becomes("Budget limit", "7 credits").await;
    browser.sees("Budget saved.").await;
}
