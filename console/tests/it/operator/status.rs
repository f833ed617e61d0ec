//! An operator's word about an account, and taken back.

use metering::Status;
use serde_json::json;

use super::{Steps, WHY, audited, is_olgas, latest, operator};
use crate::house::{House, by};

#[tokio::test]
async fn an_account_is_suspended_approved_and_given_back_to_what_it_was() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Trial, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let status = async || house.book.ledger.account_view(ann, house.now().await).await.unwrap().status;
    let path = |word: &str| format!("/operator/accounts/{ann}/status/{word}");
    for word in ["approve", "suspend"] {
        steps.insists_on_a_reason(&path(word), &[]).await;
    }
    for (word, before, after) in [
        ("suspend", Status::Trial, Status::Suspended),
        ("approve", Status::Suspended, Status::Approved),
        ("reopen", Status::Approved, Status::Trial),
    ] {
        let (page, carried) = steps.preview(&path(word), &[("reason", WHY)]).await;
        assert_eq!(status().await, before, "{word} is not done by looking");
        assert!(page.says(WHY), "{page:?}");
        let done = steps.confirm(&path(word), &carried).await;
        assert_eq!(done.location(), format!("/operator/accounts/{ann}?done=status_set"));
        assert_eq!(status().await, after, "{word}");
        is_olgas(
            &latest(&house, Some(ann), "status_set").await,
            &json!({ "status": before }),
            &json!({ "status": after }),
        );
        let audits = audited(&house).await;
        assert_eq!(steps.confirm(&path(word), &carried).await.location(), done.location(), "confirmed twice");
        assert_eq!(audited(&house).await, audits, "{word} is done once");
    }
    let nothing = house.form(&olga, &path("reopen"), &[("reason", WHY)]).await;
    assert!(nothing.status == 422 && nothing.says("No operator has approved or suspended this account"), "{nothing:?}");
    assert_eq!(house.get(&olga, &path("delete")).await.refused_page(), "404 not_found");
}

#[tokio::test]
async fn a_status_that_changed_meanwhile_is_shown_again() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let path = format!("/operator/accounts/{ann}/status/approve");
    let (_, carried) = steps.preview(&path, &[("reason", WHY)]).await;
    house.book.ledger.set_status(ann, Status::PaymentFailed, &by(house.now().await)).await.unwrap();
    let again = steps.confirm(&path, &carried).await;
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.says("What you confirmed was: Active becomes Operator-approved."), "{again:?}");
    assert!(again.says("<td>Payment failed</td>"), "{again:?}");
    let view = house.book.ledger.account_view(ann, house.now().await).await.unwrap();
    assert_eq!(view.status, Status::PaymentFailed);
    steps.confirm(&path, &super::carried(&again)).await.location();
    let view = house.book.ledger.account_view(ann, house.now().await).await.unwrap();
    assert_eq!(view.status, Status::Approved);
}
