//! Asking for an account's live state to be written anew: audited, done with the install, and refused where it would hide something.

use ledger::Drift;
use metering::{Body, Status};

use crate::actors::{NOON, Operator, by, credits, settled};

#[tokio::test]
async fn a_rebuild_is_asked_for_by_a_row_with_an_audit_and_done_once_its_install_is_in_the_book() {
    let (operator, account, lot, mut stream) = settled(10, 1).await;
    let found = [Drift::Lot { lot, book: credits(10), live: credits(9) }];
    let asked = operator.db.ledger.ask_rebuild(account, &found, &by(NOON)).await.unwrap();
    assert_eq!((asked.version, operator.db.ledger.is_rebuilt(asked).await.unwrap()), (3, false));
    let audited = "SELECT concat_ws(' ', actor, before -> 'differences' -> 0 ->> 'live', reason) FROM audit WHERE action = 'rebuild_asked'";
    assert_eq!(operator.db.text(audited).await, "olga 9 a test");
    let image = operator.db.ledger.prepare_install_one(stream.fence, account, NOON).await.unwrap().unwrap();
    let (seq, control_version) = (image.seq, image.control_version);
    stream.push(Body::Installed { account, seq, control_version });
    stream.drains(&operator.db).await;
    assert!(operator.db.ledger.is_rebuilt(asked).await.unwrap());
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_book_that_does_not_agree_with_itself_is_not_written_to_live_state() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 10, 1).await;
    operator.db.execute("UPDATE lots SET remaining = 9").await.unwrap();
    let before = operator.db.number("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM audit)").await;
    let refused = operator.db.ledger.ask_rebuild(account, &[], &by(NOON)).await.unwrap_err();
    assert_eq!(refused.code(), "book_differs");
    assert!(refused.to_string().contains(&format!("{account}: {lot} has 9 credits")), "{refused}");
    let after = operator.db.number("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM audit)").await;
    assert_eq!(after, before, "nothing was changed");
}
