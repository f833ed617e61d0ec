//! The pictures of the README, taken anew where `TOLLGATE_TEST_PICTURES` names a directory for them.

use std::path::PathBuf;

use metering::Status;

use super::shop;
use crate::browser::{Browser, Look, Scripts};
use crate::stack::{Call, Role};

const DAY_MS: u64 = 86_400_000;
/// A README is read on slow lines, too.
const BYTES_MAX: usize = 200 * 1024;

#[tokio::test]
async fn pictures_of_the_main_pages_are_taken_where_somebody_wants_them() {
    let Some(directory) = directory() else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let ann = stack.newcomer().await;
    stack.buy(&ann, "team").await;
    stack.grant(ann.account, 500, 20 * DAY_MS).await;
    stack.set_budget(ann.account, 800).await;
    stack.wait_carried().await;
    for size in [90, 80, 100, 64, 75, 100, 1, 3] {
        assert_eq!(stack.send(&ann.key, Call::batch(size)).await.status, 200);
    }
    stack.audit().await;
    assert_eq!(stack.view(&ann).await.status, Status::Active);
    let operators = format!("/operator/accounts/{}", ann.account);
    for (name, role, path, look) in [
        ("billing-light", Role::BillingOwner, "/billing", Look::Light),
        ("billing-dark", Role::BillingOwner, "/billing", Look::Dark),
        ("operator", Role::Operator, operators.as_str(), Look::Light),
    ] {
        browser.look(look).await;
        browser.signs_in(&stack, &ann, role, path).await;
        browser.sees_after_refresh("difference 0").await;
        let png = browser.picture().await;
        assert!(png.len() <= BYTES_MAX, "{name}: {} bytes", png.len());
        std::fs::write(directory.join(format!("{name}.png")), png).unwrap();
    }
}

fn directory() -> Option<PathBuf> {
    std::env::var_os("TOLLGATE_TEST_PICTURES").map(PathBuf::from)
}
