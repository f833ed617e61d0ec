//! Drawing credits: which lots, in which order, at which instants.

use metering::live::Refusal;
use metering::{Body, Change, LotId, Status};

use crate::accounts::{DAY, NEW_YEAR, ada, ask, credits, drawn, lot, op, split, ten_days};
use crate::scene::Scene;

fn exhausted(remaining: u64, price: u64) -> Refusal {
    Refusal::CreditsExhausted { remaining: credits(remaining), price: credits(price) }
}

#[tokio::test]
async fn ada_draws_the_earliest_expiring_lot_first_and_across_a_lot_boundary() {
    let (soon, later) = (NEW_YEAR.plus_ms(DAY), NEW_YEAR.plus_ms(9 * DAY));
    let lots = vec![lot(1, 10, NEW_YEAR, later), lot(2, 3, NEW_YEAR, soon), lot(3, 4, NEW_YEAR.plus_ms(1), soon)];
    let mut scene = Scene::with(&ada(lots)).await;
    scene.at(NEW_YEAR.plus_ms(5)).await;

    let first = scene.draw(1, 2).await;
    assert_eq!((split(&first).as_str(), first.remaining, first.seq), ("2:2", credits(15), 1));
    let second = scene.draw(2, 6).await;
    assert_eq!((split(&second).as_str(), second.remaining, second.seq), ("2:1,3:4,1:1", credits(9), 2));
    assert_eq!(scene.refuse(3, 10).await, exhausted(9, 10));
    let last = scene.draw(4, 9).await;
    assert_eq!((split(&last).as_str(), last.remaining, last.seq), ("1:9", credits(0), 3));
    assert_eq!(scene.refuse(5, 1).await, exhausted(0, 1));
    assert_eq!(scene.events().await.len(), 1 + 1 + 3, "opened, installed and three debits");
}

#[tokio::test]
async fn the_event_says_all_that_the_book_needs() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 4), ten_days(2, 5)])).await;
    let key = crate::accounts::key(0xcafe);
    let asked = metering::live::Debit { key: Some(key), ..ask(scene.account, 7, 6) };
    let drawn = drawn(scene.meter.debit(&asked).await.unwrap());
    let events = scene.events().await;
    let event = events.last().unwrap();
    assert_eq!((event.id, event.at), (drawn.event, NEW_YEAR));
    let body = Body::Debit {
        account: scene.account,
        seq: 1,
        op: op(7),
        credits: credits(6),
        split: drawn.split,
        period_end: NEW_YEAR.plus_ms(31 * DAY),
        remaining_after: credits(3),
        budget_used_after: credits(6),
        key: Some(key),
        route: "v1.messages".parse().unwrap(),
        hold_until: None,
        idempotency: None,
    };
    assert_eq!(event.body, body);
}

#[tokio::test]
async fn a_lot_can_be_drawn_from_the_instant_it_is_granted() {
    let mut scene = Scene::with(&ada(vec![lot(1, 5, NEW_YEAR.plus_ms(10), NEW_YEAR.plus_ms(20))])).await;
    scene.at(NEW_YEAR.plus_ms(9)).await;
    assert_eq!(scene.refuse(1, 1).await, exhausted(0, 1));
    scene.at(NEW_YEAR.plus_ms(10)).await;
    assert_eq!(scene.draw(2, 2).await.remaining, credits(3));
}

#[tokio::test]
async fn a_lot_can_be_drawn_until_the_instant_it_expires_and_not_at_it() {
    let mut scene = Scene::with(&ada(vec![lot(1, 5, NEW_YEAR, NEW_YEAR.plus_ms(20))])).await;
    scene.at(NEW_YEAR.plus_ms(19)).await;
    assert_eq!(scene.draw(1, 2).await.remaining, credits(3));
    scene.at(NEW_YEAR.plus_ms(20)).await;
    assert_eq!(scene.refuse(2, 1).await, exhausted(0, 1));
    assert_eq!(scene.lots().await, [(1, 3)].into(), "the sweep, not a refused debit, takes what is left");
}

#[tokio::test]
async fn a_head_that_expires_makes_room_for_the_next_lot_at_that_instant() {
    let edge = NEW_YEAR.plus_ms(20);
    let mut scene = Scene::with(&ada(vec![lot(1, 5, NEW_YEAR, edge), ten_days(2, 7)])).await;
    assert_eq!(split(&scene.draw(1, 1).await), "1:1");
    scene.at(edge).await;
    let next = scene.draw(2, 3).await;
    assert_eq!((split(&next).as_str(), next.remaining), ("2:3", credits(4)));
    assert_eq!(scene.refuse(3, 5).await, exhausted(4, 5));
}

#[tokio::test]
async fn two_lots_that_expire_together_are_gone_together() {
    let edge = NEW_YEAR.plus_ms(20);
    let mut scene = Scene::with(&ada(vec![lot(1, 5, NEW_YEAR, edge), lot(2, 6, NEW_YEAR, edge), ten_days(3, 1)])).await;
    scene.at(edge).await;
    assert_eq!(scene.refuse(1, 2).await, exhausted(1, 2));
    assert_eq!(split(&scene.draw(2, 1).await), "3:1");
}

#[tokio::test]
async fn ties_in_expiry_burn_by_oldest_grant_and_then_by_number() {
    let (old, new, end) = (NEW_YEAR.minus_ms(DAY), NEW_YEAR, NEW_YEAR.plus_ms(DAY));
    let lots = vec![lot(10, 1, new, end), lot(9, 1, new, end), lot(100, 1, old, end), lot(11, 1, new, end)];
    let scene = Scene::with(&ada(lots)).await;
    assert_eq!(split(&scene.draw(1, 2).await), "100:1,9:1", "9 before 10: numbers, not letters");
    assert_eq!(split(&scene.draw(2, 2).await), "10:1,11:1");
}

#[tokio::test]
async fn a_grant_of_before_the_year_2001_is_older_than_one_after_it() {
    let end = NEW_YEAR.plus_ms(DAY);
    let (early, late) = (metering::TimeMs::new(999_999_999_999), metering::TimeMs::new(1_000_000_000_000));
    let scene = Scene::with(&ada(vec![lot(1, 1, NEW_YEAR, end), lot(2, 1, late, end), lot(3, 1, early, end)])).await;
    assert_eq!(split(&scene.draw(1, 3).await), "3:1,2:1,1:1");
}

#[tokio::test]
async fn a_future_lot_becomes_drawable_and_overtakes_the_head() {
    let (begin, end) = (NEW_YEAR.plus_ms(100), NEW_YEAR.plus_ms(200));
    let mut scene = Scene::with(&ada(vec![ten_days(1, 10), lot(2, 3, begin, end)])).await;
    let before = scene.draw(1, 1).await;
    assert_eq!((split(&before).as_str(), before.remaining), ("1:1", credits(9)), "the future lot does not count yet");
    scene.at(begin).await;
    let after = scene.draw(2, 4).await;
    assert_eq!((split(&after).as_str(), after.remaining), ("2:3,1:1", credits(8)));
}

#[tokio::test]
async fn a_future_lot_that_expires_later_than_the_head_waits_behind_it() {
    let begin = NEW_YEAR.plus_ms(100);
    let mut scene = Scene::with(&ada(vec![ten_days(1, 2), lot(2, 3, begin, NEW_YEAR.plus_ms(20 * DAY))])).await;
    scene.at(begin).await;
    assert_eq!(split(&scene.draw(1, 1).await), "1:1");
    assert_eq!(split(&scene.draw(2, 2).await), "1:1,2:1");
}

#[tokio::test]
async fn a_debit_over_an_emptied_head_finds_the_lot_that_begins_at_that_instant() {
    let begin = NEW_YEAR.plus_ms(100);
    let mut scene =
        Scene::with(&ada(vec![ten_days(1, 5), ten_days(2, 5), lot(3, 1, begin, NEW_YEAR.plus_ms(DAY))])).await;
    assert_eq!(split(&scene.draw(1, 5).await), "1:5");
    assert_eq!(split(&scene.draw(2, 1).await), "2:1", "the head was left empty, the tail has the rest");
    scene.at(begin).await;
    assert_eq!(split(&scene.draw(3, 2).await), "3:1,2:1");
}

#[tokio::test]
async fn a_grant_that_expires_earlier_replaces_the_head() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(1, 1).await;
    let lot = LotId::new(2).unwrap();
    let (granted_at, expires_at) = (NEW_YEAR, NEW_YEAR.plus_ms(DAY));
    scene.apply(Change::LotGranted { lot, credits: credits(2), granted_at, expires_at }).await;
    let over = scene.draw(2, 3).await;
    assert_eq!((split(&over).as_str(), over.remaining), ("2:2,1:1", credits(3)));
}

#[tokio::test]
async fn a_thousand_lots_pay_one_debit_together() {
    let lots = (1..=1_000).map(|number| lot(number, 2, NEW_YEAR, NEW_YEAR.plus_ms(DAY + number))).collect();
    let mut scene = Scene::with(&ada(lots)).await;
    let most = scene.draw(1, 1_999).await;
    assert_eq!((most.split.len(), most.remaining), (1_000, credits(1)));
    assert!(most.split.is_sorted_by_key(|draw| draw.lot.as_u64()), "earliest expiry first");
    let last = scene.draw(2, 1).await;
    assert_eq!((split(&last).as_str(), last.remaining), ("1000:1", credits(0)));
    let back = scene.give_back(1, &most).await;
    let all = metering::live::GiveBackOutcome::Returned {
        returned: credits(1_999),
        lapsed: credits(0),
        remaining: credits(1_999),
    };
    assert_eq!(back, all);
    assert_eq!(scene.snapshot().await.drawable_at(NEW_YEAR), Some(credits(1_999)));
    scene.at(NEW_YEAR.plus_ms(DAY + 500)).await;
    assert_eq!(scene.refuse(3, 1_001).await, exhausted(999, 1_001), "500 lots of 2 are gone, and one lacks 1");
}

#[tokio::test]
async fn lots_are_read_as_far_as_a_debit_reaches_whatever_its_size() {
    // Pages of lots are read 32 at a time: walk over each edge, with prices that end inside and at the end of a lot.
    let lots = (1..=130).map(|number| lot(number, 3, NEW_YEAR, NEW_YEAR.plus_ms(DAY + number))).collect();
    let scene = Scene::with(&ada(lots)).await;
    let mut left = 390;
    for (number, price) in [(1, 3), (2, 90), (3, 3), (4, 4), (5, 98), (6, 96), (7, 1), (8, 94)] {
        let drawn = scene.draw(number, price).await;
        left -= price;
        assert_eq!(drawn.remaining, credits(left), "debit {number}");
        let snapshot = scene.snapshot().await;
        assert_eq!(snapshot.cached_total, credits(left), "head and tail after debit {number}");
        assert_eq!(snapshot.drawable_at(NEW_YEAR), Some(credits(left)), "lots after debit {number}");
    }
    assert_eq!(scene.refuse(9, 2).await, exhausted(1, 2));
}

#[tokio::test]
async fn the_same_op_draws_twice_if_it_is_sent_twice_and_the_book_sees_both() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let (first, second) = (scene.draw(1, 1).await, scene.draw(1, 1).await);
    assert_eq!((first.seq, second.seq, second.remaining), (1, 2, credits(3)));
    let ops = scene.events().await.into_iter().filter(|event| event.body.op() == Some(op(1))).count();
    assert_eq!(ops, 2, "never skipped: the book records the second as a duplicate and gives it back");
}

#[tokio::test]
async fn only_trial_active_and_approved_accounts_draw() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 100)])).await;
    for (number, status) in (1..).zip(Status::ALL) {
        scene.apply(Change::StatusSet { status }).await;
        let outcome = scene.meter.debit(&ask(scene.account, number, 1)).await.unwrap();
        let refused = metering::live::DebitOutcome::Refused(Refusal::Status(status));
        assert_eq!(outcome != refused, status.may_spend(), "{status}");
    }
    assert_eq!(scene.lots().await, [(1, 97)].into());
}
