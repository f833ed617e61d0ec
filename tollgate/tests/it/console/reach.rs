//! Everybody can use every page: axe-core finds nothing of WCAG 2.2 AA in light and dark, the keyboard reaches everything, and a telephone's
//! width is enough.

use thirtyfour::Key;

use super::shop;
use crate::browser::{Browser, Look, Scripts};
use crate::stack::{Call, Customer, Role, Stack};

/// Every page that there is something to see on for this customer.
pub async fn pages_of(stack: &Stack, customer: &Customer) -> Vec<String> {
    let account = format!("/operator/accounts/{}", customer.account);
    let mut pages: Vec<String> = PAGES.map(str::to_owned).into();
    let receipts = stack.book.ledger.receipt_lines(customer.account, None, 1).await.unwrap();
    pages.extend(receipts.iter().map(|line| format!("/receipts/{}", line.op)));
    pages.extend(["", "/rotate", "/revoke"].map(|more| format!("/keys/{}{more}", customer.key_id)));
    pages.extend(["", "/grant", "/receipts", "/status/suspend", "/rebuild"].map(|more| format!("{account}{more}")));
    for lot in stack.view(customer).await.lots.iter().take(1) {
        pages.extend(["expiry", "take", "void"].map(|what| format!("{account}/lots/{}/{what}", lot.lot)));
    }
    pages
}

const PAGES: [&str; 19] = [
    "/billing",
    "/receipts",
    "/keys",
    "/keys?show=ended",
    "/keys/new",
    "/keys/nothing",
    "/activity",
    "/activity?kind=mail",
    "/settings",
    "/operator",
    "/operator?q=a",
    "/operator/deliveries",
    "/operator/letters",
    "/operator/losses",
    "/operator/mails",
    "/operator/suppressions",
    "/operator/incidents",
    "/operator/reconcile",
    "/operator/audit",
];

/// Somebody who has one of everything.
pub async fn scene(stack: &Stack) -> Customer {
    let ann = stack.customer(1_000).await;
    stack.set_budget(ann.account, 25).await;
    stack.grant(ann.account, 50, 86_400_000).await;
    let (_, old) = stack.issue_key(ann.account).await;
    stack.revoke(old).await;
    stack.wait_carried().await;
    assert_eq!(stack.send(&ann.key, Call::batch(20)).await.status, 200);
    assert_eq!(stack.send(&ann.key, Call::chat()).await.status, 200);
    stack.audit().await;
    ann
}

#[tokio::test]
async fn every_page_is_accessible_in_light_and_dark_and_fits_a_telephone() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let ann = scene(&stack).await;
    let mut found = Vec::new();
    for role in [Role::BillingOwner, Role::Operator] {
        browser.signs_in(&stack, &ann, role, "/billing").await;
        for path in pages_of(&stack, &ann).await.iter().filter(|path| is_for(role, path)) {
            for look in [Look::Light, Look::Dark] {
                browser.look(look).await;
                browser.goes_to(&stack, path).await;
                let all = browser.findings().await;
                found.extend(all.into_iter().map(|finding| format!("{path} in {look:?}: {finding:#}")));
            }
            browser.narrow().await;
            browser.goes_to(&stack, path).await;
            let all = browser.findings().await.into_iter().chain(browser.too_wide().await);
            found.extend(all.map(|finding| format!("{path}, narrow: {finding:#}")));
            browser.wide().await;
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What an operator sees of a customer's pages is what the customer sees.
fn is_for(role: Role, path: &str) -> bool {
    matches!(role, Role::Operator) == path.starts_with("/operator")
}

#[tokio::test]
async fn the_billing_screen_is_used_by_the_keyboard_alone() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let ann = scene(&stack).await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    browser.is_walked_by_keyboard("/billing").await;

    browser.goes_to(&stack, "/billing").await;
    browser.key(Key::Tab).await;
    assert_eq!(browser.focus().await.map(|focus| focus.name).as_deref(), Some("Skip to content"));
    browser.key(Key::Enter).await;
    browser.tab_to("← Back to chat").await;
    browser.tab_to("200 credits").await;
    browser.key(Key::Enter).await;
    browser.sees("Budget saved.").await;
    assert_eq!(browser.value_of("Budget limit").await, "200 credits");
    let field = browser.tab_to("Credits a month").await;
    assert!(field.is_visible, "{field:?}");
    browser.select_all().await;
    browser.types("33").await;
    browser.tab_to("Save budget").await;
    browser.key(Key::Space).await;
    browser.sees("33 credits").await;
    browser.tab_to("API keys").await;
    browser.key(Key::Enter).await;
    browser.tab_to("New key").await;
    browser.key(Key::Enter).await;
    browser.tab_to("Name").await;
    browser.types("by hand").await;
    browser.tab_to("Create key").await;
    browser.key(Key::Enter).await;
    browser.sees("it is not shown again").await;
    for page in ["/keys", "/keys/new", "/activity", "/settings", "/receipts"] {
        browser.goes_to(&stack, page).await;
        browser.is_walked_by_keyboard(page).await;
    }
}

#[tokio::test]
async fn operators_find_grant_suspend_and_look_by_the_keyboard_alone() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let ann = scene(&stack).await;
    browser.signs_in(&stack, &ann, Role::Operator, "/operator").await;
    browser.is_walked_by_keyboard("/operator").await;

    browser.goes_to(&stack, "/operator").await;
    browser.tab_to("Name, address, account id, key or Stripe customer").await;
    browser.types("Ada").await;
    browser.key(Key::Enter).await;
    browser.sees("Ada").await;
    browser.tab_to("Ada").await;
    browser.key(Key::Enter).await;
    browser.tab_to("Grant credits").await;
    browser.key(Key::Enter).await;
    browser.tab_to("Credits").await;
    browser.types("250").await;
    browser.tab_to("Product").await;
    browser.select_all().await;
    browser.types("Goodwill").await;
    browser.tab_to("Reason").await;
    browser.types("by hand").await;
    browser.tab_to("Preview grant").await;
    browser.key(Key::Enter).await;
    browser.sees("Nothing has been changed yet.").await;
    browser.tab_to("Grant credits").await;
    browser.key(Key::Space).await;
    browser.sees("Credits granted.").await;

    browser.tab_to("Suspend").await;
    browser.key(Key::Enter).await;
    browser.tab_to("Reason").await;
    browser.types("asked for").await;
    browser.tab_to("Preview change").await;
    browser.key(Key::Enter).await;
    browser.tab_to("Suspend account").await;
    browser.key(Key::Enter).await;
    browser.sees("Status set.").await;
    assert_eq!(stack.view(&ann).await.status, metering::Status::Suspended);

    browser.goes_to(&stack, "/operator/reconcile").await;
    browser.tab_to("Compare now").await;
    browser.key(Key::Enter).await;
    browser.sees("Compared:").await;
    browser.narrow().await;
    let all = browser.findings().await.into_iter().chain(browser.too_wide().await).collect::<Vec<_>>();
    assert!(all.is_empty(), "what a look has found, narrow: {all:#?}");
    browser.wide().await;
    for page in pages_of(&stack, &ann).await.iter().filter(|page| page.starts_with("/operator")) {
        browser.goes_to(&stack, page).await;
        browser.is_walked_by_keyboard(page).await;
    }
}
