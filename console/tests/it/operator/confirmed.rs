//! The two steps themselves, whatever is changed.

use metering::Status;
use reqwest::Method;

use super::{Steps, WHY, carried, operator};
use crate::house::House;

#[tokio::test]
async fn the_way_back_keeps_what_was_typed_and_a_confirmation_is_one_persons() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let path = format!("/operator/accounts/{ann}/grant");
    let (end, _) = super::in_days(&house, 9).await;
    let fields =
        [("credits", "25"), ("product", "Goodwill"), ("expires_at", end.as_str()), ("reason", "a\r\n\"quoted\" <why>")];
    let (page, sent) = steps.preview(&path, &fields).await;
    assert!(page.says("&#60;why&#62;") && !page.text.contains("<why>"), "{page:?}");

    let mut back: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    back.retain(|(name, _)| *name != "nonce");
    back.push(("again", "1"));
    let form = house.form(&olga, &path, &back).await;
    assert_eq!(form.status, 200, "{form:?}");
    assert!(form.says("value=\"25\"") && form.says("value=\"Goodwill\"") && form.says("&#34;quoted&#34;"), "{form:?}");

    // The same confirmation by somebody else is another one: his own, with his name in the audit.
    let otto = house.person_called(olga.account, "otto@example.org", &["operator"]);
    let ottos = Steps { house: &house, operator: &otto };
    steps.confirm(&path, &sent).await.location();
    ottos.confirm(&path, &sent).await.location();
    let who =
        "SELECT string_agg(actor, ' ' ORDER BY audit_id) FROM audit WHERE action = 'lot_granted' AND actor LIKE 'o%'";
    assert_eq!(house.book.text(who).await, "olga@example.org otto@example.org");
    let why = "SELECT reason FROM audit WHERE actor LIKE 'olga%'";
    assert_eq!(house.book.text(why).await, "a \"quoted\" <why>", "in one line");
}

#[tokio::test]
async fn what_says_that_it_was_seen_and_was_not_is_shown_instead() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let path = format!("/operator/accounts/{ann}/status/suspend");
    for seen in ["", "Trial becomes Suspended", "<script>alert(1)</script>"] {
        let fields = [("reason", WHY), ("nonce", "0001"), ("seen", seen)];
        let shown = house.form(&olga, &path, &fields).await;
        assert_eq!(shown.status, 409, "{shown:?}");
        assert!(!shown.text.contains("<script>alert"), "{shown:?}");
        assert!(!carried(&shown).is_empty());
    }
    for nonce in ["", "with blank", &"n".repeat(300)] {
        let fields = [("reason", WHY), ("nonce", nonce), ("seen", "Active becomes Suspended")];
        assert_eq!(house.form(&olga, &path, &fields).await.refused_page(), "400 idempotency_key_unsound");
    }
    let view = house.book.ledger.account_view(ann, house.now().await).await.unwrap();
    assert_eq!(view.status, Status::Active, "nothing was done");
    steps.done(&path, &[("reason", WHY)]).await;
    let huge = house.ask(Method::POST, &path).of(&olga).form(&[("reason", &"x".repeat(70_000))]).send().await;
    assert_eq!(huge.refused_page(), "413 body_too_large");
}
