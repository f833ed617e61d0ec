//! The monthly budget: by preset, by typing, by program; whom it is refused, and what nobody overwrites unseen.

use metering::Status;
use reqwest::Method;
use serde_json::json;

use crate::house::House;

const NOTE: &str = "Budget controls appear after the account is approved.";

#[tokio::test]
async fn a_budget_is_set_by_preset_and_by_typing_and_stands_in_the_audit() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let owner = house.person(account, "billing_owner");
    let saved = house.form(&owner, "/billing/budget", &[("limit", "40"), ("seen", "0")]).await;
    assert_eq!(saved.location(), "/billing?done=budget_saved");
    let page = house.get(&owner, saved.location()).await;
    assert!(page.says("Budget saved.") && page.says("<dt>Budget limit</dt><dd>40 credits</dd>"), "{page:?}");
    assert!(page.says("value=\"40\" aria-pressed=\"true\">40 credits</button>"), "{page:?}");
    let typed = house.form(&owner, "/billing/budget", &[("limit", " 123 "), ("seen", "40")]).await;
    assert_eq!(typed.status, 303, "{typed:?}");
    let none = house.form(&owner, "/billing/budget", &[("limit", "0")]).await;
    assert_eq!(none.status, 303, "{none:?}");
    assert!(house.get(&owner, "/billing").await.says("<dt>Budget limit</dt><dd>No cap</dd>"));
    let written = "SELECT string_agg(actor || ' ' || (after->>'limit'), ', ' ORDER BY audit_id) FROM audit WHERE action = 'budget_set'";
    let wanted = "billing_owner@example.org 40, billing_owner@example.org 123, billing_owner@example.org 0";
    assert_eq!(house.book.text(written).await, wanted);
}

#[tokio::test]
async fn what_is_no_budget_stands_there_as_it_was_typed_and_changes_nothing() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let owner = house.person(account, "admin");
    for wrong in ["-1", "1.5", "", "9007199254740992", "<b>"] {
        let page = house.form(&owner, "/billing/budget", &[("limit", wrong), ("seen", "0")]).await;
        assert_eq!(page.status, 422, "{wrong}: {page:?}");
        let shown = wrong.replace('<', "&#60;").replace('>', "&#62;");
        let wanted = [
            &format!("value=\"{shown}\" aria-describedby=\"limit-wrong"),
            "aria-invalid=\"true\"",
            "A budget is a whole number",
        ];
        assert!(wanted.iter().all(|words| page.says(words)), "{wrong}: {page:?}");
    }
    for wrong in [
        json!({ "limit": -1 }),
        json!({ "limit": 1.5 }),
        json!({ "limit": "40" }),
        json!({}),
        json!({ "limit": 1_u64 << 53 }),
    ] {
        let refused = house.put(&owner, "/api/billing/budget", &wrong).await;
        assert_eq!(refused.problem(), "422 invalid", "{wrong}");
    }
    assert_eq!(house.book.number("SELECT budget_limit FROM accounts").await, 0);
    assert_eq!(house.put(&owner, "/api/billing/budget", &json!({ "limit": (1_u64 << 53) - 1 })).await.status, 200);
}

#[tokio::test]
async fn an_account_that_is_not_eligible_is_refused_with_the_words_of_the_note() {
    let house = House::start().await;
    for status in [Status::Trial, Status::Pending, Status::PaymentFailed, Status::Suspended] {
        let account = house.account("Ann", status, 100).await;
        let owner = house.person(account, "billing_owner");
        assert!(house.get(&owner, "/billing").await.says(NOTE), "{status}");
        let refused = house.put(&owner, "/api/billing/budget", &json!({ "limit": 40 })).await;
        assert_eq!(refused.problem(), "409 budget_not_eligible", "{status}");
        assert_eq!(refused.json()["detail"], NOTE, "{status}");
        let form = house.form(&owner, "/billing/budget", &[("limit", "40")]).await;
        assert_eq!(form.refused_page(), "409 budget_not_eligible", "{status}");
        assert!(form.says(NOTE), "{status}: {form:?}");
        assert_eq!(house.get(&owner, "/api/billing/budget").await.json()["not_eligible"], NOTE, "{status}");
    }
    for status in [Status::Active, Status::Approved] {
        let account = house.account("Ann", status, 100).await;
        let owner = house.person(account, "billing_owner");
        assert!(!house.get(&owner, "/billing").await.says(NOTE), "{status}");
        assert_eq!(house.put(&owner, "/api/billing/budget", &json!({ "limit": 40 })).await.status, 200, "{status}");
    }
    assert_eq!(house.book.number("SELECT count(*) FROM accounts WHERE budget_limit > 0").await, 2);
}

#[tokio::test]
async fn a_member_sees_the_budget_and_is_told_who_may_change_it() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let member = house.person(account, "member");
    let page = house.get(&member, "/billing").await;
    assert!(page.says("An admin or the billing owner of this account can change the budget.") && !page.says(NOTE));
    assert_eq!(house.form(&member, "/billing/budget", &[("limit", "40")]).await.refused_page(), "403 role_missing");
    assert_eq!(house.put(&member, "/api/billing/budget", &json!({ "limit": 40 })).await.problem(), "403 role_missing");
    assert_eq!(house.get(&member, "/api/billing/budget").await.json()["limit"], 0);
}

#[tokio::test]
async fn nobody_overwrites_a_budget_that_he_has_not_seen() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let owner = house.person(account, "billing_owner");
    let put = async |seen: &str, limit: u64| {
        let ask = house.ask(Method::PUT, "/api/billing/budget").of(&owner).header("if-match", seen);
        ask.json(&json!({ "limit": limit })).send().await
    };
    let seen = house.get(&owner, "/api/billing/budget").await;
    let tag = seen.header("etag").unwrap().to_owned();
    let first = put(&tag, 40).await;
    assert_eq!((first.status, first.header("etag")), (200, Some("\"40\"")), "{first:?}");
    for old in [tag.as_str(), "\"41\"", "W/\"40\"", "\"x\"", "\"18446744073709551615\"", "40"] {
        assert_eq!(put(old, 80).await.problem(), "412 changed_meanwhile", "{old}");
    }
    assert_eq!((put("\"40\"", 80).await.status, put("*", 81).await.status), (200, 200));
    let form = house.form(&owner, "/billing/budget", &[("limit", "200"), ("seen", "80")]).await;
    assert_eq!(form.status, 412, "{form:?}");
    assert!(form.says("Somebody has changed the budget meanwhile"), "{form:?}");
    assert!(
        form.says("value=\"200\"") && form.says("name=\"seen\" value=\"81\""),
        "it may be saved over what is seen now"
    );
    assert_eq!(house.book.number("SELECT budget_limit FROM accounts").await, 81);
}
