//! Verified now, and live state written anew: book, live balance, the events between, what differs.

use metering::{AccountId, Status};
use serde_json::json;

use super::{Steps, WHY, latest, operator};
use crate::house::{House, Plan};

impl House {
    /// Makes live state say that 60 credits are left of an account's head lot.
    fn spoil(&self, account: AccountId) {
        let found = self.redis.texts(&["KEYS", &format!("*:a:{}", account.hex())]);
        let [key] = found.as_slice() else { panic!("one account, and one of it: {found:?}") };
        let spoilt = metering::testing::spoil_head(key, Some(60));
        self.redis.command(&spoilt.each_ref().map(String::as_str));
    }
}

#[tokio::test]
async fn an_account_is_verified_now_and_says_so() {
    let house = House::with(Plan { sync: true, ..Plan::default() }).await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let before = house.get(&olga, &format!("/operator/accounts/{ann}")).await;
    assert!(before.says("By the live balance."), "{before:?}");
    let verified = house.form(&olga, &format!("/operator/accounts/{ann}/verify"), &[]).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    assert!(verified.says("Book and live state agree."), "{verified:?}");
    for (name, value) in [("By the book", "100"), ("Live", "100"), ("Events between", "0"), ("Difference", "0")] {
        assert!(verified.says(&format!("<dt>{name}</dt><dd>{value}</dd>")), "{name}: {verified:?}");
    }
    let after = house.get(&olga, &format!("/operator/accounts/{ann}")).await;
    assert!(after.says("Verified to #") && after.says("difference 0."), "{after:?}");
    let api = house.post(&olga, &format!("/api/operator/accounts/{ann}/verify"), &json!({})).await.json();
    assert_eq!((&api["says"], &api["difference"], &api["book"]), (&json!("agrees"), &json!(0), &json!(100)));
    let nobody = "/operator/accounts/acct_00000000000000000000000000000001/verify";
    assert_eq!(house.form(&olga, nobody, &[]).await.refused_page(), "404 account_not_found");
}

#[tokio::test]
async fn a_book_that_does_not_agree_with_itself_is_said_and_not_hidden_by_a_rebuild() {
    let house = House::with(Plan { sync: true, ..Plan::default() }).await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    house.book.execute("UPDATE lots SET remaining = 90").await.unwrap();
    let verified = house.form(&olga, &format!("/operator/accounts/{ann}/verify"), &[]).await;
    assert!(verified.says("has 90 credits, its entries make 100"), "{verified:?}");
    assert!(verified.says("Book and live state differ.") && !verified.says("Every number of the book"), "{verified:?}");
    let rebuild = format!("/operator/accounts/{ann}/rebuild");
    let (_, carried) = steps.preview(&rebuild, &[("reason", WHY)]).await;
    assert_eq!(steps.confirm(&rebuild, &carried).await.refused_page(), "409 book_differs");
    assert_eq!(house.book.number("SELECT count(*) FROM audit WHERE action = 'rebuild_asked'").await, 0);
}

#[tokio::test]
async fn live_state_that_is_wrong_is_shown_rebuilt_and_right_again() {
    let house = House::with(Plan { sync: true, ..Plan::default() }).await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    house.spoil(ann);
    let verified = house.form(&olga, &format!("/operator/accounts/{ann}/verify"), &[]).await;
    assert!(verified.says("Book and live state differ."), "{verified:?}");
    assert!(verified.says("has 100 credits in the book and 60 in live state."), "{verified:?}");
    assert!(
        verified.says("<dt>Live</dt><dd>60</dd>") && verified.says("<dt>Difference</dt><dd>40</dd>"),
        "{verified:?}"
    );
    let api = house.post(&olga, &format!("/api/operator/accounts/{ann}/verify"), &json!({})).await.json();
    assert_eq!((&api["says"], &api["live"], &api["difference"]), (&json!("differs"), &json!(60), &json!(40)));
    let in_live = api["in_live"].as_array().unwrap();
    assert!(in_live.len() == 1 && in_live[0].to_string().contains("60") && api["in_book"] == json!([]), "{api}");
    let rebuild = format!("/operator/accounts/{ann}/rebuild");
    steps.insists_on_a_reason(&rebuild, &[]).await;
    let (page, carried) = steps.preview(&rebuild, &[("reason", WHY)]).await;
    assert!(page.says("has 100 credits in the book and 60 in live state"), "{page:?}");
    let done = steps.confirm(&rebuild, &carried).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.says("Live state was written anew") && done.says("Differences before: 1, after: 0."), "{done:?}");
    assert!(done.says("<td>60</td><td><strong>100</strong></td>"), "{done:?}");
    let line = latest(&house, Some(ann), "rebuild_asked").await;
    assert_eq!((line.actor.as_str(), line.reason.as_str()), ("olga@example.org", WHY));
    let again = steps.confirm(&rebuild, &carried).await;
    assert!(again.says("Differences before: 1, after: 0."), "told again, not done again: {again:?}");
    assert_eq!(house.book.number("SELECT count(*) FROM audit WHERE action = 'rebuild_asked'").await, 1);
    let verified = house.form(&olga, &format!("/operator/accounts/{ann}/verify"), &[]).await;
    assert!(verified.says("Book and live state agree."), "{verified:?}");
}

#[tokio::test]
async fn a_rebuild_that_nobody_carries_out_is_still_under_way() {
    let mut house = House::with(Plan { sync: true, ..Plan::default() }).await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    // The owner is gone before it is asked.
    drop(house.sync.take());
    let rebuild = format!("/api/operator/accounts/{ann}/rebuild");
    let asked = house.post(&olga, &rebuild, &json!({ "reason": WHY })).await.json();
    assert_eq!((&asked["done"], &asked["changed"]), (&json!(false), &json!([])), "{asked}");
    let page = house.get(&olga, &format!("/operator/accounts/{ann}")).await;
    assert!(page.says("Changes on their way to live state: 1."), "{page:?}");
}

#[tokio::test]
async fn without_live_state_the_book_is_shown_and_verified_alone() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let page = house.get(&olga, &format!("/operator/accounts/{ann}")).await;
    assert!(page.says("As of the book"), "{page:?}");
    let verified = house.form(&olga, &format!("/operator/accounts/{ann}/verify"), &[]).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    assert!(verified.says("The two could not be compared") || verified.says("Book and live state"), "{verified:?}");
    let rebuild = house.form(&olga, &format!("/operator/accounts/{ann}/rebuild"), &[("reason", WHY)]).await;
    assert!([200, 503].contains(&rebuild.status), "{rebuild:?}");
}
