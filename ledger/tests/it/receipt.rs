//! Receipts: what the book has of a debit, by its op and by that of whatever closed it; and what is known where it has none.

use ledger::{NewKey, Receipt, ReceiptState};
use metering::{AccountId, Body, KeyCaps, KeyId, KeyMode, KeyPolicy, LotId, Status};

use crate::actors::{DAY, NOON, Operator, Stream, by, credits, op, period_end, shard_of};

/// An account with a lot that ends soon and one that ends late, known to live state.
async fn scene() -> (Operator, AccountId, [LotId; 2], Stream) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lots = [operator.grants(account, 3, 1).await, operator.grants(account, 50, 30).await];
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (operator, account, lots, stream)
}

async fn receipt(operator: &Operator, number: u128) -> Receipt {
    let mut found = operator.db.ledger.receipts(op(number)).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[tokio::test]
async fn a_receipt_tells_each_lot_before_and_after_whatever_happened_since() {
    let (operator, account, [soon, late], mut stream) = scene().await;
    stream.debits(account, op(1), &[(soon, 1)]);
    stream.debits(account, op(2), &[(soon, 2), (late, 5)]);
    stream.debits(account, op(3), &[(late, 9)]);
    stream.gives_back(account, op(1), &[(soon, 1)], &[], period_end(NOON));
    stream.drains(&operator.db).await;
    let second = receipt(&operator, 2).await;
    let lots: Vec<_> = second.lots.iter().map(|lot| (lot.lot, lot.before.get(), lot.after.get())).collect();
    assert_eq!(lots, [(soon, 2, 0), (late, 50, 45)]);
    assert_eq!((second.state, second.shard, second.key), (ReceiptState::Drawn, shard_of(account), None));
    assert_eq!((second.before.remaining, second.before.budget.used), (credits(52), credits(1)));
    let first = receipt(&operator, 1).await;
    assert_eq!((first.state, first.after.len()), (ReceiptState::GivenBack, 1));
    let give_back = first.after[0].op.unwrap();
    assert_eq!(operator.db.ledger.receipts(give_back).await.unwrap(), [first], "by the op of the give-back, too");
}

#[tokio::test]
async fn the_receipt_of_an_account_says_the_same_from_either_end_and_nothing_to_others() {
    let (operator, account, [soon, late], mut stream) = scene().await;
    stream.debits(account, op(1), &[(soon, 1)]);
    stream.debits(account, op(2), &[(soon, 2), (late, 5)]);
    for number in 3..20 {
        stream.debits(account, op(number), &[(late, 1)]);
    }
    stream.gives_back(account, op(1), &[(soon, 1)], &[], period_end(NOON));
    stream.drains(&operator.db).await;
    for number in 1..20 {
        let whole = receipt(&operator, number).await;
        let own = operator.db.ledger.account_receipt(account, op(number)).await.unwrap().unwrap();
        assert_eq!(own.lots.iter().map(|(lot, _)| *lot).collect::<Vec<_>>(), whole.lots, "{number}");
        assert_eq!((own.state, own.budget_limit), (whole.state, whole.before.budget.limit), "{number}");
        assert_eq!((own.kept.is_zero(), own.debit, own.after), (number == 1, whole.debit, whole.after), "{number}");
    }
    let other = operator.account_in(shard_of(account)).await;
    assert_eq!(operator.db.ledger.account_receipt(other, op(1)).await.unwrap(), None);
    assert_eq!(operator.db.ledger.account_receipt(account, op(99)).await.unwrap(), None);
}

#[tokio::test]
async fn a_hold_is_held_until_it_is_settled() {
    let (operator, account, [_, late], mut stream) = scene().await;
    stream.debits(account, op(1), &[(late, 9)]);
    let until = NOON.plus_ms(60_000);
    let Some(Body::Debit { hold_until, .. }) = stream.events.last_mut().map(|event| &mut event.body) else { panic!() };
    *hold_until = Some(until);
    stream.drains(&operator.db).await;
    assert_eq!(receipt(&operator, 1).await.state, ReceiptState::Held { until });
    stream.gives_back(account, op(1), &[(late, 5)], &[], period_end(NOON));
    let Some(Body::GiveBack { kept, .. }) = stream.events.last_mut().map(|event| &mut event.body) else { panic!() };
    *kept = Some(credits(4));
    stream.drains(&operator.db).await;
    assert_eq!(receipt(&operator, 1).await.state, ReceiptState::Settled { kept: credits(4) });
}

#[tokio::test]
async fn an_undone_debit_is_being_undone_until_its_settlement_came_and_one_never_drawn_is_known() {
    let (operator, account, [_, late], mut stream) = scene().await;
    stream.debits(account, op(1), &[(late, 9)]);
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    stream.is_asked_to_undo(account, op(2), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    assert_eq!(receipt(&operator, 1).await.state, ReceiptState::UndoAsked);
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    assert_eq!(receipt(&operator, 1).await.state, ReceiptState::GivenBack);
    assert_eq!(operator.db.ledger.receipts(op(2)).await.unwrap(), []);
    let undo = operator.db.ledger.undo_of(op(2)).await.unwrap().unwrap();
    assert!(undo.open && !undo.returned, "{undo:?}");
    assert_eq!(operator.db.ledger.undo_of(undo.op).await.unwrap(), Some(undo), "by the op that asked, too");
    assert_eq!(operator.db.ledger.undo_of(op(9)).await.unwrap(), None);
}

#[tokio::test]
async fn an_event_that_was_set_aside_is_found_by_its_op() {
    let operator = Operator::arrives().await;
    let park = format!(
        "INSERT INTO dead_letters (shard, incarnation, sequence, bytes, reason) VALUES (2, 7, 12, convert_to('op {} k debit', 'UTF8'), 'odd')",
        op(5).hex()
    );
    operator.db.execute(&park).await.unwrap();
    let parked = operator.db.ledger.letter_naming(op(5)).await.unwrap().unwrap();
    assert_eq!((parked.letter.to_string(), parked.reason.as_str()), ("s002/7-12".to_owned(), "odd"));
    assert_eq!(operator.db.ledger.letter_naming(op(6)).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_is_told_as_it_was_just_before_with_its_caps_and_what_it_had_drawn() {
    let (operator, account, [_, late], mut stream) = scene().await;
    let key = issue(&operator, account, 40).await;
    stream.applies_pending(&operator.db, &[]).await; // stands for the install that a cap needs
    stream.debits_by(account, Some(key), op(1), &[(late, 9)]);
    stream.debits_by(account, Some(key), op(2), &[(late, 8)]);
    stream.gives_back(account, op(1), &[(late, 9)], &[], period_end(NOON));
    stream.at = NOON.plus_ms(DAY);
    stream.debits_by(account, Some(key), op(3), &[(late, 7)]);
    stream.drains(&operator.db).await;
    operator.db.ledger.revoke_key(key, &by(stream.at)).await.unwrap();
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits_by(account, Some(key), op(4), &[(late, 1)]);
    stream.drains(&operator.db).await;
    let mut told = Vec::new();
    for number in 1..=4 {
        let key = receipt(&operator, number).await.key.unwrap();
        told.push((key.revoked, key.caps.month.map(metering::Credits::get), key.day_used.get(), key.period_used.get()));
    }
    assert_eq!(
        told,
        [(false, Some(40), 0, 0), (false, Some(40), 9, 9), (false, Some(40), 0, 8), (true, Some(40), 7, 15)]
    );
}

async fn issue(operator: &Operator, account: AccountId, month: u64) -> KeyId {
    let policy = KeyPolicy::default().with_caps(KeyCaps { day: None, month: Some(credits(month)) }).unwrap();
    let new = NewKey { name: "k".to_owned(), mode: KeyMode::Live, expires_at: None, policy, random: [7; 32] };
    operator.db.ledger.issue_key(account, &new, &by(NOON)).await.unwrap().1
}
