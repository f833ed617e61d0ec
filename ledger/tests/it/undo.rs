//! Undos: somebody does not know whether a debit was drawn, and the book decides.

use metering::{AccountId, LotId, Status};

use crate::actors::{NOON, Operator, Stream, op, period_end, shard_of};

async fn settled() -> (Operator, AccountId, LotId, Stream) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (operator, account, lot, stream)
}

/// Somebody asks to undo the first debit, the book decides, and live state does as it says.
async fn is_undone(operator: &Operator, stream: &mut Stream, account: AccountId) {
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
}

async fn open_undos(operator: &Operator) -> i64 {
    operator.db.number("SELECT count(*) FROM undos WHERE state = 'open'").await
}

#[tokio::test]
async fn a_debit_that_was_drawn_is_given_back_by_a_change() {
    for in_one_batch in [true, false] {
        let (operator, account, lot, mut stream) = settled().await;
        stream.debits(account, op(1), &[(lot, 4)]);
        if !in_one_batch {
            stream.drains(&operator.db).await;
        }
        stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
        assert!(stream.drains(&operator.db).await.outbox_appended);
        assert_eq!((operator.remaining(lot).await, open_undos(&operator).await), (96, 0));
        stream.applies_pending(&operator.db, &[]).await;
        let recorded = stream.drains(&operator.db).await;
        assert_eq!((recorded.give_backs, recorded.credits_returned), (1, 4));
        assert_eq!((operator.remaining(lot).await, operator.sees(account).await.budget.used.get()), (100, 0));
        assert_eq!(operator.entry_kinds(account).await, ["grant", "debit", "undo", "give_back"]);
        let entries = operator.db.ledger.entries(account, None, 10).await.unwrap();
        let from_live = |entry: &ledger::Entry| entry.event.is_some() && entry.seq.is_some();
        let known: Vec<_> = entries.iter().map(|entry| (from_live(entry), entry.outbox_row.is_some())).collect();
        assert_eq!(
            known,
            [(true, true), (true, false), (true, false), (false, true)],
            "where each comes from: {entries:?}"
        );
        operator.finds_no_difference(&[account]).await;
    }
}

#[tokio::test]
async fn a_debit_that_was_given_back_already_is_not_given_back_twice() {
    let (operator, account, lot, mut stream) = settled().await;
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.gives_back(account, op(1), &[(lot, 4)], &[], period_end(NOON));
    stream.drains(&operator.db).await;
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    assert!(stream.drains(&operator.db).await.outbox_appended, "live state still counts it as pending");
    stream.applies_pending(&operator.db, &[]).await;
    assert_eq!(stream.drains(&operator.db).await.give_backs, 0);
    assert_eq!(operator.remaining(lot).await, 100);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_debit_that_was_not_drawn_is_remembered_until_it_can_not_come_any_more() {
    let (operator, account, lot, mut stream) = settled().await;
    let not_after = NOON.plus_ms(2_000);
    stream.is_asked_to_undo(account, op(1), not_after);
    assert!(!stream.drains(&operator.db).await.outbox_appended);
    assert_eq!(operator.db.ledger.settle_undos(stream.fence, not_after).await.unwrap(), 0, "half-open");
    assert_eq!(open_undos(&operator).await, 1);
    let image = operator.db.ledger.prepare_install_one(stream.fence, account, NOON).await.unwrap().unwrap();
    assert_eq!(image.open_undos, [op(1)]);

    assert_eq!(operator.db.ledger.settle_undos(stream.fence, not_after.plus_ms(1)).await.unwrap(), 1);
    assert_eq!(operator.db.ledger.settle_undos(stream.fence, not_after.plus_ms(1)).await.unwrap(), 0);
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    assert_eq!((operator.remaining(lot).await, open_undos(&operator).await), (100, 0));
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_debit_that_comes_after_its_undo_is_given_back_once() {
    let (operator, account, lot, mut stream) = settled().await;
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    stream.debits(account, op(1), &[(lot, 4)]);
    assert!(stream.drains(&operator.db).await.outbox_appended);
    assert_eq!(open_undos(&operator).await, 0);
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    assert_eq!(operator.remaining(lot).await, 100);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn asking_again_in_another_incarnation_for_a_debit_that_came_late_gives_nothing_more_back() {
    let (operator, account, lot, mut stream) = settled().await;
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.drains(&operator.db).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    stream.begins_anew(&operator.db).await;
    is_undone(&operator, &mut stream, account).await;
    assert_eq!(operator.remaining(lot).await, 100);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_debit_that_comes_after_its_undo_was_given_up_is_given_back_all_the_same() {
    let (operator, account, lot, mut stream) = settled().await;
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    operator.db.ledger.settle_undos(stream.fence, NOON.plus_ms(9_000)).await.unwrap();
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.drains(&operator.db).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    assert_eq!((operator.remaining(lot).await, operator.sees(account).await.budget.used.get()), (100, 0));
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn asking_again_in_another_incarnation_gives_nothing_more_back() {
    let (operator, account, lot, mut stream) = settled().await;
    stream.debits(account, op(1), &[(lot, 4)]);
    is_undone(&operator, &mut stream, account).await;
    stream.begins_anew(&operator.db).await;
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    assert!(stream.drains(&operator.db).await.outbox_appended, "live state counts it as pending again");
    stream.applies_pending(&operator.db, &[]).await;
    assert_eq!(stream.drains(&operator.db).await.give_backs, 0);
    assert_eq!(operator.remaining(lot).await, 100);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_first_debit_can_still_be_undone_after_its_duplicate_was_given_back() {
    let (operator, account, lot, mut stream) = settled().await;
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.drains(&operator.db).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    is_undone(&operator, &mut stream, account).await;
    assert_eq!(operator.remaining(lot).await, 100);
    operator.finds_no_difference(&[account]).await;
}
