//! Requests under an `Idempotency-Key`: they draw once in a day, and again when what was drawn went back.

use metering::live::owner::DrainNote;
use metering::live::{Debit, DebitOutcome, GiveBack, Refusal, Repeat, Undo};
use metering::{AccountImage, Body, Fingerprint, Idempotency, IdempotencyKey, IdempotencyMark, TimeMs};

use crate::accounts::{DAY, NEW_YEAR, ada, ask, drawn, op, refused, ten_days};
use crate::scene::{Scene, give_back, undo};

fn under(key: &str, request: &str) -> Idempotency {
    Idempotency {
        key: IdempotencyKey::of(&[key.as_bytes()]),
        fingerprint: Fingerprint::of(&[request.as_bytes()]),
        in_use_until: NEW_YEAR.plus_ms(60_000),
    }
}

fn once(scene: &Scene, number: u128, key: &str, request: &str) -> Debit {
    Debit { idempotency: Some(under(key, request)), ..ask(scene.account, number, 1) }
}

fn repeated(first: u128, how: Repeat) -> Refusal {
    Refusal::Repeated { first: op(first), how }
}

async fn refusal(scene: &Scene, ask: &Debit) -> Refusal {
    refused(scene.meter.debit(ask).await.unwrap())
}

#[tokio::test]
async fn a_repeat_draws_nothing_and_is_told_the_first_receipt() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    let first = drawn(scene.meter.debit(&once(&scene, 1, "k", "a")).await.unwrap());
    let Body::Debit { idempotency, hold_until: None, .. } = scene.last_event().await else { panic!("no debit") };
    assert_eq!(idempotency, Some(under("k", "a")));
    let before = scene.everything().await;
    assert_eq!(refusal(&scene, &once(&scene, 2, "k", "a")).await, repeated(1, Repeat::InUse));
    assert_eq!(refusal(&scene, &once(&scene, 3, "k", "b")).await, repeated(1, Repeat::Mismatch));
    scene.nothing_changed_since(&before, "a repeat").await;
    drawn(scene.meter.debit(&once(&scene, 4, "l", "a")).await.unwrap()); // another key
    scene.meter.answered(scene.account, under("k", "").key, op(1)).await.unwrap();
    assert_eq!(refusal(&scene, &once(&scene, 5, "k", "a")).await, repeated(1, Repeat::Used));
    scene.meter.answered(scene.account, under("l", "").key, op(1)).await.unwrap(); // not that key's debit: nothing happens
    assert_eq!(refusal(&scene, &once(&scene, 6, "l", "a")).await, repeated(4, Repeat::InUse));
    scene.at(NEW_YEAR.plus_ms(60_000)).await;
    assert_eq!(refusal(&scene, &once(&scene, 7, "l", "a")).await, repeated(4, Repeat::Used));
    assert_eq!(first.remaining.get(), 8);
}

#[tokio::test]
async fn a_key_stands_for_its_request_one_day_and_not_a_millisecond_longer() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    drawn(scene.meter.debit(&once(&scene, 1, "k", "a")).await.unwrap());
    scene.at(NEW_YEAR.plus_ms(DAY - 1)).await;
    assert_eq!(refusal(&scene, &once(&scene, 2, "k", "b")).await, repeated(1, Repeat::Mismatch));
    scene.at(NEW_YEAR.plus_ms(DAY)).await;
    drawn(scene.meter.debit(&once(&scene, 3, "k", "b")).await.unwrap());
    assert_eq!(refusal(&scene, &once(&scene, 4, "k", "b")).await, repeated(3, Repeat::Used));
}

#[tokio::test]
async fn repeats_in_one_call_draw_once() {
    let scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    let asks: Vec<Debit> = (1..=4).map(|number| once(&scene, number, "k", "a")).collect();
    let outcomes = scene.meter.debit_many(scene.account.shard(scene.stage.count), &asks).await.unwrap();
    assert!(matches!(outcomes[0], DebitOutcome::Drawn(_)));
    for outcome in &outcomes[1..] {
        assert_eq!(*outcome, DebitOutcome::Refused(repeated(1, Repeat::InUse)));
    }
}

#[tokio::test]
async fn a_refused_request_leaves_no_mark() {
    let scene = Scene::with(&ada(vec![ten_days(1, 1)])).await;
    let dear = Debit { credits: crate::accounts::credits(2), ..once(&scene, 1, "k", "a") };
    assert!(matches!(refusal(&scene, &dear).await, Refusal::CreditsExhausted { .. }));
    drawn(scene.meter.debit(&once(&scene, 2, "k", "a")).await.unwrap());
}

#[tokio::test]
async fn after_a_give_back_the_key_may_be_used_again() {
    let scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    let first = drawn(scene.meter.debit(&once(&scene, 1, "k", "a")).await.unwrap());
    let back = GiveBack { idempotency: Some(under("k", "").key), ..give_back(scene.account, 1, &first) };
    scene.meter.give_back(&back).await.unwrap();
    drawn(scene.meter.debit(&once(&scene, 2, "k", "b")).await.unwrap());
    // The first once more, late: what the second has left stays.
    scene.meter.give_back(&back).await.unwrap();
    assert_eq!(refusal(&scene, &once(&scene, 3, "k", "b")).await, repeated(2, Repeat::InUse));
}

#[tokio::test]
async fn after_an_undo_the_key_may_be_used_again_and_the_late_debit_may_not() {
    let scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    drawn(scene.meter.debit(&once(&scene, 1, "k", "a")).await.unwrap());
    let undo_first = Undo { idempotency: Some(under("k", "").key), ..undo(scene.account, 1) };
    scene.meter.undo(&undo_first).await.unwrap();
    let undo_late = Undo { idempotency: Some(under("k", "").key), ..undo(scene.account, 2) };
    scene.meter.undo(&undo_late).await.unwrap();
    assert_eq!(refusal(&scene, &once(&scene, 2, "k", "a")).await, Refusal::Closed);
    drawn(scene.meter.debit(&once(&scene, 3, "k", "a")).await.unwrap());
}

#[tokio::test]
async fn an_install_brings_the_marks_of_the_book_but_not_to_an_account_that_is_there() {
    let mark = IdempotencyMark { under: under("k", "a"), op: op(77), at: NEW_YEAR };
    let image = AccountImage { idempotency: vec![mark], ..ada(vec![ten_days(1, 9)]) };
    let mut scene = Scene::with(&image).await;
    assert_eq!(refusal(&scene, &once(&scene, 1, "k", "a")).await, repeated(77, Repeat::InUse));
    let key = scene.stage.shard_of(&scene.account).fence().idempotency(&scene.account, &mark.under.key);
    let _: u64 = scene.command(&["DEL", &key]).await.unwrap();
    scene.stage.install(&image).await;
    assert!(!scene.key_exists(&key).await, "it was freed since");
}

#[tokio::test]
async fn the_owner_lets_go_of_marks_that_are_a_day_old_and_of_no_others() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    drawn(scene.meter.debit(&once(&scene, 1, "old", "a")).await.unwrap());
    drawn(scene.meter.debit(&once(&scene, 2, "again", "a")).await.unwrap());
    scene.at(NEW_YEAR.plus_ms(DAY)).await;
    drawn(scene.meter.debit(&once(&scene, 3, "again", "a")).await.unwrap());
    let shard = scene.stage.shard_of(&scene.account);
    let marks = ["old", "again", "never"].map(|key| (scene.account, under(key, "").key)).to_vec();
    let note = DrainNote { drained: 4, credits: 3, keep_from: 0, closed: vec![], marks: marks.clone() };
    scene.stage.link.note_drained(&shard, &note).await.unwrap();
    let there = |key: usize| shard.fence().idempotency(&marks[key].0, &marks[key].1);
    assert_eq!((scene.key_exists(&there(0)).await, scene.key_exists(&there(1)).await), (false, true));
    assert_eq!(scene.snapshot().await.at, TimeMs::new(NEW_YEAR.as_u64() + DAY));
}
