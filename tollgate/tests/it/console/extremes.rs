//! Names of two hundred letters, nothing at all, and the largest numbers there are: on every page, wide and narrow.

use ledger::NewAccount;
use metering::{BudgetAnchor, Status};

use super::house;
use super::reach::pages_of;
use crate::browser::{Browser, Scripts};
use crate::stack::{Customer, Role, Stack, by};

/// One short of what a credit amount may be, since two lots must add up to one.
const HUGE: u64 = 9_007_199_254_740_990;

async fn account(stack: &Stack, name: &str, status: Status) -> Customer {
    let new = NewAccount { name: name.to_owned(), email: None, status, anchor: BudgetAnchor::FIRST };
    let account = stack.book.ledger.create_account(&new, &by(stack.now().await)).await.unwrap();
    let (key, key_id) = stack.issue_key(account).await;
    Customer { account, key, key_id }
}

#[tokio::test]
async fn pages_hold_nothing_and_the_most_there_can_be_without_scrolling_sideways() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = house().await;
    let empty = account(&stack, "Nobody", Status::Pending).await;
    let full = account(&stack, &"Wolfeschlegelsteinhausenbergerdorff".repeat(5), Status::Active).await;
    stack.grant(full.account, HUGE, 86_400_000 * 365 * 90).await;
    stack.grant(full.account, 1, 86_400_000).await;
    stack.set_budget(full.account, HUGE + 1).await;
    stack.wait_carried().await;
    browser.signs_in(&stack, &full, Role::BillingOwner, "/billing").await;
    assert_eq!(browser.value_of("Remaining").await, "9 007 199 254 740 991");
    assert_eq!(browser.value_of("Budget limit").await, "9 007 199 254 740 991 credits");
    let mut found = Vec::new();
    for customer in [&empty, &full] {
        browser.signs_in(&stack, customer, Role::Operator, "/billing").await;
        for path in pages_of(&stack, customer).await {
            browser.narrow().await;
            browser.goes_to(&stack, &path).await;
            found.extend(browser.too_wide().await.into_iter().map(|element| format!("{path}, narrow: {element}")));
            browser.wide().await;
            found.extend(browser.too_wide().await.into_iter().map(|element| format!("{path}, wide: {element}")));
        }
    }
    assert!(found.is_empty(), "must be scrolled sideways:\n{found:#?}");
}
