//! Keys: made, used, revoked, and refused.

use super::house;
use crate::browser::{Browser, Scripts};
use crate::stack::{Call, Role, Stack, wait_until};

/// The secret that a page shows once.
async fn secret(browser: &Browser) -> String {
    browser.element("#secret").await.text().await.unwrap()
}

async fn is_refused(stack: &Stack, key: &str, code: &str) {
    wait_until("it is refused", async || stack.send(key, Call::chat()).await.status != 200).await;
    assert_eq!(stack.send(key, Call::chat()).await.problem(), code);
}

#[tokio::test]
async fn a_key_is_made_and_shown_once_works_and_is_refused_once_it_is_revoked() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = house().await;
    let ann = stack.customer(100).await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/keys").await;
    browser.press("New key").await;
    browser.fill("Name", "build server").await;
    browser.fill("Cap per day", "3").await;
    browser.press("Create key").await;
    browser.sees("it is not shown again").await;
    let key = secret(&browser).await;
    stack.wait_carried().await;
    for _ in 0..3 {
        assert_eq!(stack.send(&key, Call::chat()).await.status, 200);
    }
    assert_eq!(stack.send(&key, Call::chat()).await.problem(), "402 key_cap_exhausted");
    assert_eq!(stack.remaining(&ann).await, 97);

    browser.press("I have copied it").await;
    browser.sees("build server").await;
    browser.sees("3 of 3").await;
    browser.does_not_see(&key).await;
    browser.press("build server").await;
    browser.press("Rotate").await;
    browser.press("Rotate key").await;
    let next = secret(&browser).await;
    assert_ne!(next, key);
    browser.press("See what it is held to").await;
    browser.press("Revoke").await;
    browser.press("Revoke key").await;
    browser.sees("Key revoked.").await;
    is_refused(&stack, &next, "401 invalid_api_key").await;
    browser.goes_to(&stack, "/keys?show=ended").await;
    browser.sees("Revoked").await;
    browser.leaves().await;
    stack.audit().await;
}
