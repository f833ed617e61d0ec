//! Giving a debit back: to the lots it was drawn from, once, whatever is called how often.

use metering::live::{GiveBack, GiveBackOutcome, UndoOutcome};
use metering::{AccountId, AccountImage, Body, Change, EventId, LotId, TimeMs};
use uuid::Uuid;

use crate::accounts::{DAY, NEW_YEAR, ada, bob, credits, lot, op, split, ten_days};
use crate::scene::{Scene, another_op, give_back};

fn returned(returned: u64, lapsed: u64, remaining: u64) -> GiveBackOutcome {
    GiveBackOutcome::Returned { returned: credits(returned), lapsed: credits(lapsed), remaining: credits(remaining) }
}

#[tokio::test]
async fn credits_return_to_the_lots_they_came_from_and_burn_again_in_the_same_order() {
    let mut scene = Scene::with(&ada(vec![lot(1, 3, NEW_YEAR, NEW_YEAR.plus_ms(DAY)), ten_days(2, 5)])).await;
    let over = scene.draw(1, 5).await;
    assert_eq!(scene.give_back(1, &over).await, returned(5, 0, 8));
    assert_eq!(scene.lots().await, [(1, 3), (2, 5)].into());
    assert_eq!(split(&scene.draw(2, 4).await), "1:3,2:1", "an emptied lot that got credits back is the head again");
    let body = scene.events().await.into_iter().nth_back(1).unwrap().body;
    let Body::GiveBack { seq, op: by, debit_op, returned, lapsed, remaining_after, budget_used_after, .. } = body
    else {
        panic!("{body:?}")
    };
    assert_eq!((seq, by, debit_op), (2, op(1_000_001), op(1)));
    assert_eq!((returned, lapsed), (over.split, vec![]));
    assert_eq!((remaining_after, budget_used_after), (credits(8), credits(0)));
}

#[tokio::test]
async fn the_second_time_it_is_closed_and_nothing_is_written() {
    let scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let drawn = scene.draw(1, 2).await;
    assert_eq!(scene.give_back(1, &drawn).await, returned(2, 0, 5));
    let before = scene.everything().await;
    assert_eq!(scene.give_back(1, &drawn).await, GiveBackOutcome::AlreadyClosed);
    let by_another = GiveBack { op: another_op(), ..give_back(scene.account, 1, &drawn) };
    assert_eq!(scene.meter.give_back(&by_another).await.unwrap(), GiveBackOutcome::AlreadyClosed);
    assert_eq!(scene.undo(1).await, UndoOutcome::AlreadyClosed);
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn a_debit_that_was_undone_is_not_given_back_as_well() {
    let scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let drawn = scene.draw(1, 2).await;
    assert_eq!(scene.undo(1).await, UndoOutcome::Marked);
    let before = scene.everything().await;
    assert_eq!(scene.give_back(1, &drawn).await, GiveBackOutcome::AlreadyClosed);
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn credits_of_a_lot_that_has_expired_lapse_from_its_very_instant_on() {
    let edge = NEW_YEAR.plus_ms(100);
    let mut scene = Scene::with(&ada(vec![lot(1, 3, NEW_YEAR, edge), ten_days(2, 5)])).await;
    let (first, second) = (scene.draw(1, 1).await, scene.draw(2, 4).await);
    scene.at(edge.minus_ms(1)).await;
    assert_eq!(scene.give_back(1, &first).await, returned(1, 0, 4));
    scene.at(edge).await;
    assert_eq!(scene.give_back(2, &second).await, returned(2, 2, 5), "2 of lot 1 lapse, 2 of lot 2 return");
    let Body::GiveBack { returned, lapsed, .. } = scene.last_event().await else { panic!("no give-back") };
    let written = (metering::lots::write(&returned), metering::lots::write(&lapsed));
    assert_eq!(written, ("2:2".to_owned(), "1:2".to_owned()));
}

#[tokio::test]
async fn a_swept_lot_takes_nothing_back() {
    let edge = NEW_YEAR.plus_ms(100);
    let mut scene = Scene::with(&ada(vec![lot(1, 3, NEW_YEAR, edge)])).await;
    let drawn = scene.draw(1, 1).await;
    scene.at(edge).await;
    scene.apply(Change::LotExpired { lot: LotId::new(1).unwrap() }).await;
    assert_eq!(scene.give_back(1, &drawn).await, returned(0, 1, 0));
    assert_eq!(scene.lots().await, [].into());
}

#[tokio::test]
async fn a_lot_whose_expiry_was_moved_on_takes_its_credits_back() {
    let edge = NEW_YEAR.plus_ms(100);
    let mut scene = Scene::with(&ada(vec![lot(1, 3, NEW_YEAR, edge)])).await;
    let drawn = scene.draw(1, 3).await;
    let moved = Change::LotExpiryMoved { lot: LotId::new(1).unwrap(), expires_at: edge.plus_ms(DAY) };
    scene.apply(moved).await;
    scene.at(edge).await;
    assert_eq!(scene.give_back(1, &drawn).await, returned(3, 0, 3));
    assert_eq!(split(&scene.draw(2, 3).await), "1:3");
}

#[tokio::test]
async fn it_lowers_the_budget_used_in_its_own_period_only() {
    let month_end = NEW_YEAR.plus_ms(31 * DAY);
    let year = |number| lot(number, 50, NEW_YEAR, NEW_YEAR.plus_ms(366 * DAY));
    let mut scene = Scene::with(&bob(100, 1, vec![year(1)])).await;
    let (early, late) = (scene.draw(1, 7).await, scene.draw(2, 5).await);
    scene.give_back(1, &early).await;
    assert_eq!(scene.snapshot().await.budget_used, credits(5));
    scene.at(month_end).await;
    assert_eq!(scene.draw(3, 2).await.budget.unwrap().used, credits(2));
    assert_eq!(scene.give_back(2, &late).await, returned(5, 0, 48));
    assert_eq!(scene.snapshot().await.budget_used, credits(2), "January's debit does not lower February");
}

#[tokio::test]
async fn an_old_debit_given_back_before_the_first_debit_of_a_month_leaves_that_month_alone() {
    let month_end = NEW_YEAR.plus_ms(31 * DAY);
    let mut scene = Scene::with(&bob(10, 1, vec![lot(1, 50, NEW_YEAR, NEW_YEAR.plus_ms(366 * DAY))])).await;
    let (first, _) = (scene.draw(1, 4).await, scene.draw(2, 6).await);
    scene.at(month_end).await;
    scene.give_back(1, &first).await;
    let after = scene.draw(3, 10).await;
    assert_eq!(after.budget.unwrap().used, credits(10), "February starts at nothing and ends at its limit");
}

#[tokio::test]
async fn what_was_clawed_back_meanwhile_is_not_given_back_twice() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let drawn = scene.draw(1, 2).await;
    scene.apply(Change::LotReduced { lot: LotId::new(1).unwrap(), credits: credits(5) }).await;
    assert_eq!(scene.lots().await, [(1, 0)].into());
    assert_eq!(scene.give_back(1, &drawn).await, returned(2, 0, 2));
}

/// The gateway names what is not its debit: nothing is given back on its word, the book decides.
async fn becomes_an_undo(scene: &mut Scene, ask: &GiveBack) {
    let lots = scene.lots().await;
    assert_eq!(scene.meter.give_back(ask).await.unwrap(), GiveBackOutcome::BecameUndo);
    assert_eq!(scene.lots().await, lots);
    let Body::Undo { op, debit_op, not_after, .. } = scene.last_event().await else { panic!("no undo") };
    assert_eq!((op, debit_op, not_after), (ask.op, ask.debit_op, ask.debit_not_after));
    assert_eq!(scene.meter.give_back(ask).await.unwrap(), GiveBackOutcome::AlreadyClosed, "once");
}

#[tokio::test]
async fn a_debit_of_another_incarnation_or_op_or_account_or_no_debit_becomes_an_undo() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 50)])).await;
    let account = AccountId::from_uuid(Uuid::from_u128(0xada2));
    let neighbour = AccountImage { account, ..ada(vec![ten_days(2, 50)]) };
    assert_eq!(account.shard(scene.stage.count), scene.account.shard(scene.stage.count), "a test of neighbours");
    scene.stage.install(&neighbour).await;
    let drawn = scene.draw(1, 2).await;
    let ask = give_back(scene.account, 1, &drawn);
    let given_back = scene.draw(2, 2).await;
    scene.give_back(2, &given_back).await;
    let of_the_give_back = EventId { sequence: given_back.event.sequence + 1, ..given_back.event };

    let wrong = [
        GiveBack { debit_op: op(11), debit_event: EventId { incarnation: 77, ..drawn.event }, ..ask.clone() },
        GiveBack { debit_op: op(12), debit_event: EventId { sequence: 999, ..drawn.event }, ..ask.clone() },
        GiveBack { debit_op: op(13), ..ask.clone() },
        GiveBack { debit_op: op(2_000), debit_event: of_the_give_back, ..ask.clone() },
        GiveBack { account, ..ask.clone() },
    ];
    for ask in &wrong {
        becomes_an_undo(&mut scene, ask).await;
    }
    assert_eq!(scene.snapshot().await.undos, 4);
    let neighbours = scene.meter.snapshot(account).await.unwrap().unwrap();
    assert_eq!((neighbours.undos, neighbours.lots[0].remaining), (1, credits(50)));
}

#[tokio::test]
async fn a_debit_whose_event_is_no_longer_in_the_stream_becomes_an_undo() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let drawn = scene.draw(1, 2).await;
    scene.draw(2, 1).await;
    let shard = scene.stage.shard_of(&scene.account);
    let note = metering::live::owner::DrainNote { drained: 3, credits: 3, keep_from: 3, closed: vec![], marks: vec![] };
    scene.stage.link.note_drained(&shard, &note).await.unwrap();
    let ask = GiveBack { debit_not_after: TimeMs::new(77), ..give_back(scene.account, 1, &drawn) };
    becomes_an_undo(&mut scene, &ask).await;
}

#[tokio::test]
async fn an_account_that_is_not_there_or_frozen_is_asked_again_later() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let drawn = scene.draw(1, 2).await;
    let stranger = AccountId::from_uuid(Uuid::from_u128(0xdead));
    let shard = scene.stage.shard_of(&scene.account);
    let account = scene.account;
    scene.stage.link.freeze(&shard, &account, 1).await.unwrap();
    let before = scene.everything().await;
    let of_a_stranger = give_back(stranger, 1, &drawn);
    assert_eq!(scene.meter.give_back(&of_a_stranger).await.unwrap(), GiveBackOutcome::Deferred);
    assert_eq!(scene.give_back(1, &drawn).await, GiveBackOutcome::Deferred);
    scene.nothing_changed_since(&before, "refused").await;
}
