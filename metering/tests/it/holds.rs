//! Holds: credits set aside, settled to a price or released, once, whoever asks.

use metering::live::{Debit, Settle, SettleOutcome, Undo, UndoOutcome};
use metering::{AccountId, AccountImage, Body, Credits, KeyCap, KeyCaps, OpId, TimeMs, lots};
use uuid::Uuid;

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, drawn, key, lot, op, ten_days};
use crate::scene::{Scene, give_back, undo};

fn hold(scene: &Scene, number: u128, most: u64) -> Debit {
    Debit { hold_until: Some(NEW_YEAR.plus_ms(60_000)), ..ask(scene.account, number, most) }
}

fn settle(scene: &Scene, number: u128, drawn: &metering::live::Drawn, price: u64) -> Settle {
    Settle {
        op: op(3_000_000 + number),
        account: scene.account,
        debit_op: op(number),
        debit_event: drawn.event,
        debit_not_after: TimeMs::new(u64::MAX),
        price: credits(price),
    }
}

fn settled(kept: u64, returned: u64, lapsed: u64, remaining: u64) -> SettleOutcome {
    let [kept, returned, lapsed, remaining] = [kept, returned, lapsed, remaining].map(credits);
    SettleOutcome::Settled { kept, returned, lapsed, remaining }
}

#[tokio::test]
async fn a_hold_is_settled_to_its_price_and_the_lots_that_expire_last_get_the_rest() {
    let mut scene = Scene::with(&bob(100, 1, vec![lot(1, 4, NEW_YEAR, NEW_YEAR.plus_ms(DAY)), ten_days(2, 20)])).await;
    let held = drawn(scene.meter.debit(&hold(&scene, 1, 10)).await.unwrap());
    let Body::Debit { hold_until, .. } = scene.last_event().await else { panic!("no debit") };
    assert_eq!((hold_until, held.remaining), (Some(NEW_YEAR.plus_ms(60_000)), credits(14)));
    assert_eq!(scene.meter.settle(&settle(&scene, 1, &held, 6)).await.unwrap(), settled(6, 4, 0, 18));
    let Body::GiveBack { kept, returned, debit_op, budget_used_after, .. } = scene.last_event().await else {
        panic!("no settlement")
    };
    assert_eq!((kept, lots::write(&returned), debit_op), (Some(credits(6)), "2:4".to_owned(), op(1)));
    assert_eq!(budget_used_after, credits(6));
    assert_eq!(scene.lots().await, [(1, 0), (2, 18)].into());
}

#[tokio::test]
async fn a_price_above_the_hold_takes_the_hold_and_a_price_of_nothing_gives_all_back() {
    let scene = Scene::with(&ada(vec![ten_days(1, 20)])).await;
    let dear = drawn(scene.meter.debit(&hold(&scene, 1, 5)).await.unwrap());
    assert_eq!(scene.meter.settle(&settle(&scene, 1, &dear, 9)).await.unwrap(), settled(5, 0, 0, 15));
    let free = drawn(scene.meter.debit(&hold(&scene, 2, 5)).await.unwrap());
    assert_eq!(scene.meter.settle(&settle(&scene, 2, &free, 0)).await.unwrap(), settled(0, 5, 0, 15));
}

#[tokio::test]
async fn what_of_a_hold_has_expired_meanwhile_lapses() {
    let edge = NEW_YEAR.plus_ms(100);
    let mut scene = Scene::with(&ada(vec![lot(1, 4, NEW_YEAR, edge)])).await;
    let held = drawn(scene.meter.debit(&hold(&scene, 1, 4)).await.unwrap());
    scene.at(edge).await;
    assert_eq!(scene.meter.settle(&settle(&scene, 1, &held, 1)).await.unwrap(), settled(1, 0, 3, 0));
}

#[tokio::test]
async fn of_settlement_release_and_give_back_the_first_wins() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 30)])).await;
    let mut held = Vec::new();
    for number in 1..=3 {
        held.push(drawn(scene.meter.debit(&hold(&scene, number, 5)).await.unwrap()));
    }
    let release = |number: u128| Undo { op: OpId::from_uuid(uuid::Uuid::now_v7()), ..undo(scene.account, number) };
    let shard = scene.stage.shard_of(&scene.account);
    assert_eq!(scene.meter.settle(&settle(&scene, 1, &held[0], 2)).await.unwrap(), settled(2, 3, 0, 18));
    assert_eq!(scene.stage.link.release(&shard, &release(2)).await.unwrap(), UndoOutcome::Marked);
    scene.meter.give_back(&give_back(scene.account, 3, &held[2])).await.unwrap();
    let before = scene.everything().await;
    for number in 1..=3 {
        let drawn = &held[usize::try_from(number).unwrap() - 1];
        let again = scene.meter.settle(&settle(&scene, number, drawn, 1)).await.unwrap();
        assert_eq!(again, SettleOutcome::AlreadyClosed, "{number}");
        assert_eq!(scene.stage.link.release(&shard, &release(number)).await.unwrap(), UndoOutcome::AlreadyClosed);
        let back = scene.meter.give_back(&give_back(scene.account, number, drawn)).await.unwrap();
        assert_eq!(back, metering::live::GiveBackOutcome::AlreadyClosed);
    }
    scene.nothing_changed_since(&before, "too late").await;
}

#[tokio::test]
async fn a_settlement_whose_hold_is_not_at_hand_becomes_an_undo_of_what_is_above_the_price() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 30)])).await;
    let held = drawn(scene.meter.debit(&hold(&scene, 1, 5)).await.unwrap());
    let mut elsewhere = settle(&scene, 1, &held, 2);
    elsewhere.debit_event.incarnation += 1;
    assert_eq!(scene.meter.settle(&elsewhere).await.unwrap(), SettleOutcome::BecameUndo);
    let Body::Undo { debit_op, kept, .. } = scene.last_event().await else { panic!("no undo") };
    assert_eq!((debit_op, kept), (op(1), Some(credits(2))));
    assert_eq!(scene.meter.settle(&settle(&scene, 1, &held, 2)).await.unwrap(), SettleOutcome::AlreadyClosed);
}

#[tokio::test]
async fn a_settlement_of_an_account_that_is_not_there_or_frozen_is_asked_again_later() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 30)])).await;
    let held = drawn(scene.meter.debit(&hold(&scene, 1, 5)).await.unwrap());
    let (shard, account) = (scene.stage.shard_of(&scene.account), scene.account);
    scene.stage.link.freeze(&shard, &account, 1).await.unwrap();
    let before = scene.everything().await;
    let own = settle(&scene, 1, &held, 2);
    let of_a_stranger = Settle { account: AccountId::from_uuid(Uuid::from_u128(0xdead)), ..own.clone() };
    for ask in [own, of_a_stranger] {
        assert_eq!(scene.meter.settle(&ask).await.unwrap(), SettleOutcome::Deferred);
    }
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn a_hold_counts_against_the_caps_of_its_key_and_its_settlement_makes_room() {
    let caps = KeyCaps { day: Some(credits(10)), month: None };
    let image = AccountImage { key_caps: vec![KeyCap { key: key(7), of: key(7), caps }], ..ada(vec![ten_days(1, 30)]) };
    let scene = Scene::with(&image).await;
    let by_key = |number, most| Debit { key: Some(key(7)), ..hold(&scene, number, most) };
    let held = drawn(scene.meter.debit(&by_key(1, 8)).await.unwrap());
    let full = scene.meter.debit(&by_key(2, 8)).await.unwrap();
    assert!(matches!(full, metering::live::DebitOutcome::Refused(_)), "{full:?}");
    scene.meter.settle(&settle(&scene, 1, &held, 2)).await.unwrap();
    drawn(scene.meter.debit(&by_key(3, 8)).await.unwrap());
    let counts = scene.snapshot().await.key_counts;
    assert_eq!(counts.iter().map(|count| count.day_used).collect::<Vec<Credits>>(), [credits(10)]);
}
