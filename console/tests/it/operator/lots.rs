//! Mending lots: moved, voided, reduced; and shown again where what was seen is another by then.

use metering::{AccountId, LotId, Status};
use serde_json::json;

use super::{Steps, WHY, in_days, is_olgas, latest, operator};
use crate::house::{House, Plan, by, credits};

const DAY_MS: u64 = 86_400_000;

async fn lot(house: &House, account: AccountId) -> ledger::LotView {
    house.book.ledger.account_view(account, house.now().await).await.unwrap().lots.remove(0)
}

fn path(account: AccountId, lot: LotId, what: &str) -> String {
    format!("/operator/accounts/{account}/lots/{lot}/{what}")
}

#[tokio::test]
async fn a_lots_expiry_is_moved_and_what_was_moved_meanwhile_is_shown_again() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let before = lot(&house, ann).await;
    let path = path(ann, before.lot, "expiry");
    let (end, end_ms) = in_days(&house, 200).await;
    let fields = [("expires_at", end.as_str()), ("reason", WHY)];
    steps.insists_on_a_reason(&path, &fields[..1]).await;
    let (_, carried) = steps.preview(&path, &fields).await;

    // Somebody else moves it before it is confirmed.
    let elsewhere = before.expires_at.plus_ms(DAY_MS);
    let now = house.now().await;
    house.book.ledger.move_lot_expiry(before.lot, elsewhere, &by(now)).await.unwrap();
    let again = steps.confirm(&path, &carried).await;
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.says("This has changed since you looked; nothing was done."), "{again:?}");
    assert_eq!(lot(&house, ann).await.expires_at, elsewhere, "nothing was done");
    let done = steps.confirm(&path, &super::carried(&again)).await;
    assert_eq!(done.location(), format!("/operator/accounts/{ann}?done=lot_moved#lots"));
    assert_eq!(lot(&house, ann).await.expires_at.as_u64(), end_ms);
    let line = latest(&house, Some(ann), "lot_expiry_moved").await;
    is_olgas(&line, &json!({ "expires_at": elsewhere }), &json!({ "expires_at": end_ms }));
    assert_eq!(line.subject, Some(before.lot.to_string()));

    for (value, said) in [("2020-01-01", "An expiry lies in the future."), (end.as_str(), "It expires then already.")] {
        let refused = house.form(&olga, &path, &[("expires_at", value), ("reason", WHY)]).await;
        assert!(refused.status == 422 && refused.says(said), "{refused:?}");
    }
}

#[tokio::test]
async fn a_voided_lot_ends_now_and_can_not_be_voided_again() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let before = lot(&house, ann).await;
    let path = path(ann, before.lot, "void");
    steps.insists_on_a_reason(&path, &[]).await;
    let (page, carried) = steps.preview(&path, &[("reason", WHY)]).await;
    assert!(page.says("<td>100</td><td><strong>0</strong></td>"), "{page:?}");
    let done = steps.confirm(&path, &carried).await;
    assert_eq!(done.location(), format!("/operator/accounts/{ann}?done=lot_voided#lots"));
    let view = house.book.ledger.account_view(ann, house.now().await).await.unwrap();
    assert_eq!((view.remaining.get(), view.lots[0].original.get()), (0, 100));
    let line = latest(&house, Some(ann), "lot_expiry_moved").await;
    is_olgas(&line, &json!({ "expires_at": before.expires_at }), &json!({ "expires_at": view.lots[0].expires_at }));
    // The same confirmation once more leads where it led.
    assert_eq!(steps.confirm(&path, &carried).await.location(), done.location());
    assert_eq!(house.book.number("SELECT count(*) FROM audit WHERE action = 'lot_expiry_moved'").await, 1);
    let refused = house.form(&olga, &path, &[("reason", WHY)]).await;
    assert!(refused.status == 422 && refused.says("This lot is over already."), "{refused:?}");
}

#[tokio::test]
async fn credits_are_taken_out_as_confirmed_and_never_fewer_than_that() {
    let house = House::with(Plan { sync: true, ..Plan::default() }).await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let lot_id = lot(&house, ann).await.lot;
    let path = path(ann, lot_id, "take");
    let fields = [("credits", "60"), ("reason", WHY)];
    steps.insists_on_a_reason(&path, &fields[..1]).await;
    let (page, first) = steps.preview(&path, &fields).await;
    assert!(page.says("<td>100</td><td><strong>40</strong></td>"), "{page:?}");
    let (_, second) = steps.preview(&path, &fields).await;
    let done = steps.confirm(&path, &first).await;
    assert_eq!(done.location(), format!("/operator/accounts/{ann}?done=lot_reduced#lots"));
    let line = latest(&house, Some(ann), "lot_reduced").await;
    is_olgas(&line, &json!({ "remaining": 100 }), &json!({ "takes_at_most": 60 }));
    house.wait_carried().await;
    assert_eq!(lot(&house, ann).await.remaining, credits(40));

    // Of the second confirmation only 40 are left: it says so, and takes none.
    let again = steps.confirm(&path, &second).await;
    assert_eq!(again.status, 422, "{again:?}");
    assert!(again.says("Only 40 credits are left in this lot."), "{again:?}");
    assert!(again.says("Meanwhile this has changed; nothing was done."), "{again:?}");
    house.wait_carried().await;
    assert_eq!(lot(&house, ann).await.remaining, credits(40));
    let shown = house.get(&olga, &format!("/operator/accounts/{ann}")).await;
    assert!(shown.says("<td class=\"number\">40 of 100"), "{shown:?}");
}

#[tokio::test]
async fn a_lot_of_another_account_is_not_there() {
    let house = House::start().await;
    let (ann, bob) = (house.account("Ann", Status::Active, 100).await, house.account("Bob", Status::Active, 100).await);
    let olga = operator(&house).await;
    let anns = lot(&house, ann).await.lot;
    for what in ["expiry", "void", "take"] {
        assert_eq!(house.get(&olga, &path(bob, anns, what)).await.refused_page(), "404 not_found");
        assert_eq!(house.get(&olga, &path(ann, anns, what)).await.status, 200);
    }
}
