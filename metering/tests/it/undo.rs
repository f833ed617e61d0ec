//! Undoing a debit whose outcome its asker does not know: from here on the op can't draw, and the book decides.

use metering::live::owner::DrainNote;
use metering::live::{Refusal, Undo, UndoOutcome};
use metering::{AccountId, Body, Change, TimeMs};
use uuid::Uuid;

use crate::accounts::{NEW_YEAR, ada, credits, op, ten_days};
use crate::scene::{Scene, another_op, undo};

fn settled(debit: u128, split: &str, counted: bool) -> Change {
    let split = metering::lots::read(split).unwrap();
    Change::UndoSettled {
        debit_op: op(debit),
        split,
        period_end: TimeMs::EPOCH,
        counted,
        key: None,
        debited_at: TimeMs::EPOCH,
    }
}

#[tokio::test]
async fn a_debit_that_comes_after_its_undo_draws_nothing() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    assert_eq!(scene.undo(1).await, UndoOutcome::Marked);
    let body = Body::Undo {
        account: scene.account,
        seq: 1,
        op: op(2_000_001),
        debit_op: op(1),
        not_after: NEW_YEAR.plus_ms(5_000),
        kept: None,
    };
    assert_eq!(scene.last_event().await, body);
    assert_eq!(scene.refuse(1, 1).await, Refusal::Closed);
    assert_eq!(scene.draw(2, 1).await.remaining, credits(4), "other ops draw");
}

#[tokio::test]
async fn the_second_undo_of_an_op_writes_nothing_whoever_asks() {
    let scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    assert_eq!(scene.undo(1).await, UndoOutcome::Marked);
    let before = scene.everything().await;
    assert_eq!(scene.undo(1).await, UndoOutcome::AlreadyClosed);
    let by_another = Undo { op: another_op(), ..undo(scene.account, 1) };
    assert_eq!(scene.meter.undo(&by_another).await.unwrap(), UndoOutcome::AlreadyClosed);
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn an_undo_moves_no_credits_by_itself_even_if_the_debit_was_drawn() {
    let scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(1, 2).await;
    assert_eq!(scene.undo(1).await, UndoOutcome::Marked);
    let snapshot = scene.snapshot().await;
    assert_eq!((snapshot.cached_total, snapshot.budget_used, snapshot.seq), (credits(3), credits(2), 2));
    assert_eq!(snapshot.undos, 1);
}

#[tokio::test]
async fn the_book_settles_an_undo_and_the_op_stays_closed_while_others_are_pending() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(1, 2).await;
    scene.undo(1).await;
    scene.undo(2).await;
    scene.apply(settled(1, "1:2", true)).await;
    let snapshot = scene.snapshot().await;
    assert_eq!((snapshot.undos, snapshot.cached_total), (1, credits(5)));
    assert_eq!(scene.refuse(2, 1).await, Refusal::Closed);
    assert_eq!(scene.refuse(1, 1).await, Refusal::Closed);
    assert_eq!(scene.undo(1).await, UndoOutcome::AlreadyClosed);
    scene.apply(settled(2, "", true)).await;
    let snapshot = scene.snapshot().await;
    assert_eq!((snapshot.undos, snapshot.cached_total), (0, credits(5)));
}

#[tokio::test]
async fn a_settlement_that_live_state_does_not_count_lowers_no_count() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(1, 1).await;
    scene.draw(1, 1).await;
    scene.undo(9).await;
    scene.apply(settled(1, "1:1", false)).await; // the second debit of op 1 is given back
    let snapshot = scene.snapshot().await;
    assert_eq!((snapshot.undos, snapshot.cached_total), (1, credits(4)));
    assert_eq!(scene.refuse(9, 1).await, Refusal::Closed);
}

#[tokio::test]
async fn a_settlement_too_many_does_not_take_the_count_below_zero() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.apply(settled(1, "", true)).await;
    assert_eq!(scene.snapshot().await.undos, 0);
    scene.undo(2).await;
    assert_eq!(scene.refuse(2, 1).await, Refusal::Closed);
}

#[tokio::test]
async fn the_mark_of_an_op_goes_when_the_owner_lets_its_event_go() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let drawn = scene.draw(1, 2).await;
    scene.give_back(1, &drawn).await;
    assert_eq!(scene.closed_mark(1).await.as_deref(), Some("give_back"));
    let shard = scene.stage.shard_of(&scene.account);
    let note = DrainNote { drained: 3, credits: 2, keep_from: 3, closed: vec![op(1)], marks: vec![] };
    scene.stage.link.note_drained(&shard, &note).await.unwrap();
    assert_eq!(scene.closed_mark(1).await, None);
}

#[tokio::test]
async fn an_account_that_is_not_there_or_frozen_is_asked_again_later() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let (shard, account) = (scene.stage.shard_of(&scene.account), scene.account);
    scene.undo(2).await;
    scene.stage.link.freeze(&shard, &account, 1).await.unwrap();
    let before = scene.everything().await;
    let stranger = AccountId::from_uuid(Uuid::from_u128(0xdead));
    assert_eq!(scene.meter.undo(&undo(stranger, 1)).await.unwrap(), UndoOutcome::Deferred);
    assert_eq!(scene.undo(1).await, UndoOutcome::Deferred);
    assert_eq!(scene.undo(2).await, UndoOutcome::AlreadyClosed);
    scene.nothing_changed_since(&before, "refused").await;
}
