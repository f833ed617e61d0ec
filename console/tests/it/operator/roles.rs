//! Nobody but an operator gets anything here, and an operator has nothing of a customer's by that.

use metering::Status;
use reqwest::Method;

use super::{audited, operator};
use crate::house::{House, Person};

/// Every page, and every change, with ids of nobody's.
const PAGES: [&str; 17] = [
    "/operator",
    "/operator/accounts/acct_00000000000000000000000000000001",
    "/operator/accounts/acct_00000000000000000000000000000001/receipts",
    "/operator/letters",
    "/operator/letters/s000/1-1",
    "/operator/deliveries",
    "/operator/deliveries/evt_1",
    "/operator/mails",
    "/operator/mails/1",
    "/operator/suppressions",
    "/operator/incidents",
    "/operator/incidents/1",
    "/operator/losses",
    "/operator/reconcile",
    "/operator/audit",
    "/operator?q=ann",
    "/operator/audit?kind=status",
];
const CHANGES: [&str; 14] = [
    "/operator/accounts/acct_00000000000000000000000000000001/grant",
    "/operator/accounts/acct_00000000000000000000000000000001/lots/lot_1/expiry",
    "/operator/accounts/acct_00000000000000000000000000000001/lots/lot_1/void",
    "/operator/accounts/acct_00000000000000000000000000000001/lots/lot_1/take",
    "/operator/accounts/acct_00000000000000000000000000000001/status/suspend",
    "/operator/accounts/acct_00000000000000000000000000000001/rebuild",
    "/operator/letters/s000/1-1/retry",
    "/operator/letters/s000/1-1/discard",
    "/operator/deliveries/evt_1/replay",
    "/operator/deliveries/evt_1/resolve",
    "/operator/mails/1/resend",
    "/operator/suppress",
    "/operator/suppressions/ann@example.org/release",
    "/operator/reconcile/repair",
];
const POSTS: [&str; 2] = ["/operator/accounts/acct_00000000000000000000000000000001/verify", "/operator/reconcile"];

#[tokio::test]
async fn customers_are_refused_everywhere_before_anything_is_looked_at() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let customers: Vec<Person> = ["member", "admin", "billing_owner", "operators", "Operator"]
        .iter()
        .map(|role| house.person(ann, role))
        .collect();
    let audits = audited(&house).await;
    for customer in &customers {
        for path in PAGES.iter().chain(&CHANGES) {
            assert_eq!(house.get(customer, path).await.refused_page(), "403 role_missing", "{path} {customer:?}");
        }
        // Their own account is no exception.
        let own = format!("/operator/accounts/{ann}");
        assert_eq!(house.get(customer, &own).await.refused_page(), "403 role_missing");
        for path in CHANGES
            .iter()
            .chain(&POSTS)
            .map(|path| path.replace("acct_00000000000000000000000000000001", &ann.to_string()))
        {
            let confirmed = [("reason", "mine"), ("nonce", "n1"), ("seen", ""), ("credits", "1000")];
            let refused = house.form(customer, &path, &confirmed).await;
            assert_eq!(refused.refused_page(), "403 role_missing", "{path} {customer:?}");
        }
    }
    for path in PAGES.iter().chain(&CHANGES) {
        assert_eq!(house.ask(Method::GET, path).send().await.refused_page(), "401 session_missing", "{path}");
    }
    assert_eq!(audited(&house).await, audits, "nothing was changed");
}

#[tokio::test]
async fn an_operator_sees_every_page_and_what_is_not_there_is_not_found() {
    let house = House::start().await;
    house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    for path in PAGES {
        let page = house.get(&olga, path).await;
        let is_of_nobody =
            ["acct_0000", "/s000/", "/evt_1", "/mails/1", "/incidents/1"].iter().any(|id| path.contains(id));
        if is_of_nobody {
            assert!(page.refused_page().starts_with("404 "), "{path}: {page:?}");
        } else {
            assert_eq!(page.status, 200, "{path}: {page:?}");
            assert_eq!(page.text.matches("<h1").count(), 1, "{path}");
            assert!(page.says("aria-label=\"Operator\"") && page.says("aria-current=\"page\""), "{path}: {page:?}");
        }
    }
    // A page of another site can't make an operator's browser do anything.
    for path in CHANGES.iter().chain(&POSTS) {
        let forged = house.ask(Method::POST, path).of(&olga).header("sec-fetch-site", "cross-site");
        let forged = forged.body("application/x-www-form-urlencoded", "reason=x&nonce=1&seen=").send().await;
        assert_eq!(forged.status, 403, "{path}: {forged:?}");
    }
    for path in ["/billing/budget", "/keys/new"] {
        assert_eq!(house.form(&olga, path, &[("limit", "40"), ("name", "x")]).await.refused_page(), "403 role_missing");
    }
}
