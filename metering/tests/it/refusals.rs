//! A refused debit says why, in one order, and writes nothing.

use metering::live::{Debit, Refusal};
use metering::{AccountId, AccountImage, Change, Status};
use uuid::Uuid;

use crate::accounts::{NEW_YEAR, ada, ask, bob, credits, drawn, key, op, refused, ten_days};
use crate::scene::Scene;

/// Asks, expects this refusal, and that no key changed.
async fn refused_without_a_trace(scene: &Scene, ask: &Debit) -> Refusal {
    let before = scene.everything().await;
    let refusal = refused(scene.meter.debit(ask).await.unwrap());
    scene.nothing_changed_since(&before, &format!("{refusal:?}")).await;
    refusal
}

#[tokio::test]
async fn no_refusal_writes_anything() {
    let image = AccountImage { revoked_keys: vec![key(9)], ..bob(50, 1, vec![ten_days(1, 40)]) };
    let mut scene = Scene::with(&image).await;
    scene.draw(1, 1).await;
    let plain = ask(scene.account, 2, 1);

    let stranger = AccountId::from_uuid(Uuid::from_u128(0xdead));
    assert_eq!(refused_without_a_trace(&scene, &ask(stranger, 2, 1)).await, Refusal::Installing);
    let late = Debit { not_after: NEW_YEAR, ..plain.clone() };
    assert_eq!(refused_without_a_trace(&scene, &late).await, Refusal::TooLate);
    let with_key = Debit { key: Some(key(9)), ..plain.clone() };
    assert_eq!(refused_without_a_trace(&scene, &with_key).await, Refusal::KeyRevoked);
    let big = ask(scene.account, 2, 50);
    assert!(matches!(refused_without_a_trace(&scene, &big).await, Refusal::BudgetExhausted { .. }));
    let more_than_held = Refusal::CreditsExhausted { remaining: credits(39), price: credits(49) };
    assert_eq!(refused_without_a_trace(&scene, &ask(scene.account, 2, 49)).await, more_than_held);
    scene.undo(2).await;
    assert_eq!(refused_without_a_trace(&scene, &plain).await, Refusal::Closed);
    scene.apply(Change::StatusSet { status: Status::Suspended }).await;
    let other = ask(scene.account, 3, 1);
    assert_eq!(refused_without_a_trace(&scene, &other).await, Refusal::Status(Status::Suspended));
    let shard = scene.stage.shard_of(&image.account);
    scene.stage.link.freeze(&shard, &image.account, 1).await.unwrap();
    assert_eq!(refused_without_a_trace(&scene, &other).await, Refusal::Frozen);
}

#[tokio::test]
async fn checks_come_in_one_order_and_the_first_that_fails_answers() {
    let image = AccountImage { revoked_keys: vec![key(9)], ..bob(5, 1, vec![ten_days(1, 3)]) };
    let mut scene = Scene::with(&image).await;
    scene.undo(1).await;
    scene.apply(Change::StatusSet { status: Status::Pending }).await;
    let all_wrong = Debit { key: Some(key(9)), not_after: NEW_YEAR, ..ask(scene.account, 1, 6) };
    assert_eq!(refused_without_a_trace(&scene, &all_wrong).await, Refusal::TooLate);
    let in_time = Debit { not_after: NEW_YEAR.plus_ms(1), ..all_wrong };
    assert_eq!(refused_without_a_trace(&scene, &in_time).await, Refusal::Closed);
    let not_undone = Debit { op: op(2), ..in_time };
    assert_eq!(refused_without_a_trace(&scene, &not_undone).await, Refusal::Status(Status::Pending));
    scene.apply(Change::StatusSet { status: Status::Active }).await;
    assert_eq!(refused_without_a_trace(&scene, &not_undone).await, Refusal::KeyRevoked);
    let good_key = Debit { key: Some(key(8)), ..not_undone };
    assert!(matches!(refused_without_a_trace(&scene, &good_key).await, Refusal::BudgetExhausted { .. }));
    let cheaper = Debit { credits: credits(5), ..good_key };
    assert!(matches!(refused_without_a_trace(&scene, &cheaper).await, Refusal::CreditsExhausted { .. }));
    let cheap = Debit { credits: credits(3), ..cheaper };
    drawn(scene.meter.debit(&cheap).await.unwrap());
}

#[tokio::test]
async fn a_debit_is_in_time_until_its_last_millisecond() {
    let scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let at_the_edge = Debit { not_after: NEW_YEAR, ..ask(scene.account, 1, 1) };
    assert_eq!(refused(scene.meter.debit(&at_the_edge).await.unwrap()), Refusal::TooLate);
    let before = Debit { not_after: NEW_YEAR.plus_ms(1), ..at_the_edge };
    drawn(scene.meter.debit(&before).await.unwrap());
}

#[tokio::test]
async fn a_key_revoked_a_moment_ago_draws_nothing_and_other_keys_do() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let with = |number| Debit { key: Some(key(number)), ..ask(scene.account, 1, 1) };
    let (revoked, good) = (with(1), with(2));
    drawn(scene.meter.debit(&revoked).await.unwrap());
    scene.apply(Change::KeyRevoked { key: key(1) }).await;
    assert_eq!(refused(scene.meter.debit(&revoked).await.unwrap()), Refusal::KeyRevoked);
    drawn(scene.meter.debit(&good).await.unwrap());
    drawn(scene.meter.debit(&ask(scene.account, 3, 1)).await.unwrap());
}
