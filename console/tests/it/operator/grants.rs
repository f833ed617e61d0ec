//! Granting credits: previewed, confirmed, once.

use metering::Status;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Steps, WHY, in_days, is_olgas, latest, operator};
use crate::house::{House, encoded};

/// A good grant that ends then.
fn until(expires_at: &str) -> [(&'static str, &str); 4] {
    [("credits", "1 500"), ("product", "Goodwill"), ("expires_at", expires_at), ("reason", WHY)]
}

#[tokio::test]
async fn a_grant_is_shown_before_it_is_done_and_stands_in_the_audit_with_its_reason() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let path = format!("/operator/accounts/{ann}/grant");
    let (end, end_ms) = in_days(&house, 90).await;
    let fields = until(&end);
    steps.insists_on_a_reason(&path, &fields[..3]).await;
    let (page, carried) = steps.preview(&path, &fields).await;
    assert!(page.says("<td>100</td><td><strong>1 600</strong></td>"), "{page:?}");
    assert!(
        page.says(WHY) && page.says(&format!("{} UTC", end.replace('T', " "))) && page.says("Goodwill"),
        "{page:?}"
    );
    let lots = async || house.book.ledger.account_view(ann, house.now().await).await.unwrap().lots;
    assert_eq!(lots().await.len(), 1, "nothing is granted by looking");

    let done = steps.confirm(&path, &carried).await;
    assert_eq!(done.location(), format!("/operator/accounts/{ann}?done=lot_granted"));
    let granted = lots().await.into_iter().find(|lot| lot.product == "Goodwill").unwrap();
    assert_eq!((granted.original.get(), granted.expires_at.as_u64()), (1_500, end_ms));
    let after = json!({ "credits": 1_500, "product": "Goodwill", "expires_at": end_ms });
    is_olgas(&latest(&house, Some(ann), "lot_granted").await, &Value::Null, &after);
    let shown = house.get(&olga, done.location()).await;
    assert!(shown.says("Credits granted.") && shown.says("Goodwill") && shown.says(WHY), "{shown:?}");
}

#[tokio::test]
async fn a_grant_confirmed_twice_or_ten_times_at_once_is_granted_once() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 0).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let path = format!("/operator/accounts/{ann}/grant");
    let (end, _) = in_days(&house, 90).await;
    let (_, carried) = steps.preview(&path, &until(&end)).await;
    let ten = futures_of(&steps, &path, &carried).await;
    for answer in &ten {
        // Whoever comes while it is being done is told so, and whoever comes later is where it was done.
        let (status, at_once) = (answer.status, answer.status == 409 && answer.says("This is being done"));
        assert!(status == 303 || at_once, "{answer:?}");
    }
    let again = steps.confirm(&path, &carried).await;
    assert_eq!(again.location(), format!("/operator/accounts/{ann}?done=lot_granted"));
    let view = house.book.ledger.account_view(ann, house.now().await).await.unwrap();
    assert_eq!((view.lots.len(), view.remaining.get()), (1, 1_500));
    assert_eq!(house.book.number("SELECT count(*) FROM audit WHERE action = 'lot_granted'").await, 1);
    // Something else under the same confirmation is a mistake, and not done.
    let mut other = carried.clone();
    other.iter_mut().find(|(name, _)| name == "credits").unwrap().1 = "9000".to_owned();
    assert_eq!(steps.confirm(&path, &other).await.refused_page(), "422 idempotency_key_reused");
    // A day later its confirmation is forgotten; the lot's source still knows it.
    house.book.execute("DELETE FROM console_writes").await.unwrap();
    assert_eq!(steps.confirm(&path, &carried).await.refused_page(), "409 already_granted");
    assert_eq!(house.book.number("SELECT count(*) FROM lots").await, 1);
}

async fn futures_of(steps: &Steps<'_>, path: &str, carried: &[(String, String)]) -> Vec<crate::house::Answer> {
    futures::future::join_all((0..10).map(|_| steps.confirm(path, carried))).await
}

#[tokio::test]
async fn what_is_typed_wrong_is_said_beside_its_field_and_stands_there_as_typed() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 0).await;
    let olga = operator(&house).await;
    let path = format!("/operator/accounts/{ann}/grant");
    let (end, _) = in_days(&house, 90).await;
    let good = until(&end);
    for (field, value, said) in [
        ("credits", "many", "A whole number of credits"),
        ("credits", "0", "At least 1 credit."),
        ("credits", "9007199254740992", "A whole number of credits"),
        ("product", "", "Say what it is, in 1 to 200 letters."),
        ("product", "evil\u{202e}", "Say what it is, in 1 to 200 letters."),
        ("expires_at", "soon", "A day and a time in UTC"),
        ("expires_at", "2020-01-01T00:00", "An expiry lies in the future."),
        ("expires_at", "9000-01-01", "An expiry lies within 50 years."),
    ] {
        let fields = good.map(|(name, sent)| if name == field { (name, value) } else { (name, sent) });
        let refused = house.form(&olga, &path, &fields).await;
        assert_eq!(refused.status, 422, "{field} {value}: {refused:?}");
        assert!(refused.says(said), "{field} {value}: {refused:?}");
        assert!(refused.says("aria-invalid=\"true\"") && refused.says("Nothing was changed."), "{refused:?}");
        assert!(refused.says(&format!("id=\"{field}-wrong\"")) && refused.says(WHY), "{refused:?}");
    }
    assert_eq!(house.book.number("SELECT count(*) FROM lots").await, 0);
    // An account that holds as much as can be counted takes no more.
    house.grant(ann, 9_007_199_254_740_991, "All", 1_000_000_000).await;
    let refused = house.form(&olga, &path, &good).await;
    assert!(refused.status == 422 && refused.says("more than can be counted"), "{refused:?}");
    // The form can be filled in by its address; what stands there is text, not markup.
    let filled = format!("{path}?product={}", encoded("\"><script>alert(1)</script>"));
    let form = house.ask(Method::GET, &filled).of(&olga).send().await;
    assert!(!form.text.contains("<script>alert"), "{form:?}");
}
