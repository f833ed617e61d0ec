//! The pictures of the README, taken anew where `TOLLGATE_TEST_PICTURES` names a directory for them; and one of every page, to look at, where
//! `TOLLGATE_TEST_ALBUM` does.

use std::path::PathBuf;

use metering::Status;

use super::extremes::long_words;
use super::reach::{pages_of, scene};
use super::shop;
use crate::browser::{Browser, Look, Scripts};
use crate::stack::{Call, Role};

const DAY_MS: u64 = 86_400_000;
/// A README is read on slow lines, too.
const BYTES_MAX: usize = 200 * 1024;

#[tokio::test]
async fn pictures_of_the_main_pages_are_taken_where_somebody_wants_them() {
    let Some(directory) = directory("TOLLGATE_TEST_PICTURES") else { return };
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

#[tokio::test]
async fn an_album_of_every_page_is_made_where_somebody_wants_to_look() {
    let Some(directory) = directory("TOLLGATE_TEST_ALBUM") else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = shop().await;
    let (ann, nobody) = (scene(&stack).await, stack.customer_with(Status::Pending, 0).await);
    let long = long_words(&stack, &ann).await;
    for (whose, customer) in [("ann", &ann), ("nobody", &nobody)] {
        browser.signs_in(&stack, customer, Role::Operator, "/billing").await;
        for path in pages_of(&stack, customer).await.iter().chain(&long) {
            browser.goes_to(&stack, path).await;
            let name: String =
                path.chars().take(60).map(|letter| if "/?=".contains(letter) { '-' } else { letter }).collect();
            for (look, width) in [(Look::Light, 1_280), (Look::Dark, 1_280), (Look::Light, 320), (Look::Dark, 320)] {
                browser.look(look).await;
                let png = browser.whole_picture(width).await;
                std::fs::write(directory.join(format!("{whose}{name}-{width}-{look:?}.png")), png).unwrap();
            }
            browser.wide().await;
        }
    }
}

fn directory(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}
