//! Exposure caps: what a lost Redis can lose is bounded, because debits stop when the book falls behind.

use metering::live::owner::{Caps, DrainNote};
use metering::live::{DebitOutcome, Exposure, Refusal};
use metering::testing::GENEROUS_CAPS;

use crate::accounts::{DAY, NEW_YEAR, ada, ask, lot};
use crate::scene::Scene;

async fn scene(caps: Caps) -> Scene {
    Scene::with_caps(&ada(vec![lot(1, 1_000, NEW_YEAR, NEW_YEAR.plus_ms(30 * DAY))]), caps).await
}

/// Answers the credits that are exposed behind it.
async fn note(scene: &mut Scene, drained: u64, credits: u64) -> u64 {
    let shard = scene.stage.shard_of(&scene.account);
    let note = DrainNote { drained, credits, keep_from: 0, closed: vec![], marks: vec![] };
    scene.stage.link.note_drained(&shard, &note).await.unwrap().exposed
}

/// Refused for that cap, and nothing written.
async fn refused(scene: &Scene, price: u64, what: Exposure) {
    let before = scene.everything().await;
    assert_eq!(scene.refuse(99, price).await, Refusal::ExposureCap { what });
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn debits_stop_at_the_cap_of_undrained_events() {
    let mut scene = scene(Caps { events: 3, ..GENEROUS_CAPS }).await;
    scene.draw(1, 1).await; // after `installed`, the second undrained event
    scene.draw(2, 1).await;
    refused(&scene, 1, Exposure::Events).await;
    note(&mut scene, 2, 1).await;
    scene.draw(3, 1).await;
    scene.draw(4, 1).await;
    refused(&scene, 1, Exposure::Events).await;
    note(&mut scene, 5, 3).await;
    scene.draw(5, 1).await;
}

#[tokio::test]
async fn debits_stop_at_the_cap_of_undrained_credits_and_a_smaller_one_still_fits() {
    let mut scene = scene(Caps { credits: 10, ..GENEROUS_CAPS }).await;
    scene.draw(1, 7).await;
    refused(&scene, 4, Exposure::Credits).await;
    scene.draw(2, 3).await;
    refused(&scene, 1, Exposure::Credits).await;
    let fence = *scene.stage.shard_of(&scene.account).fence();
    assert_eq!(scene.stage.link.look(&fence).await.unwrap().unwrap().exposed, 10, "whoever looks is told");
    assert_eq!(note(&mut scene, 2, 7).await, 3, "and whoever notes");
    refused(&scene, 8, Exposure::Credits).await;
    scene.draw(3, 7).await;
    assert_eq!(note(&mut scene, 4, 1_000).await, 0);
    scene.draw(4, 10).await;
    refused(&scene, 1, Exposure::Credits).await;
}

#[tokio::test]
async fn debits_stop_when_the_owner_has_not_drained_for_too_long() {
    let mut scene = scene(Caps { age_ms: DAY, ..GENEROUS_CAPS }).await;
    note(&mut scene, 1, 0).await;
    scene.at(NEW_YEAR.plus_ms(DAY - 1)).await;
    scene.draw(1, 1).await;
    scene.at(NEW_YEAR.plus_ms(DAY)).await;
    refused(&scene, 1, Exposure::Age).await;
    note(&mut scene, 1, 0).await;
    scene.draw(2, 1).await;
}

#[tokio::test]
async fn only_debits_stop() {
    let mut scene = scene(Caps { events: 3, credits: 2, age_ms: DAY }).await;
    note(&mut scene, 0, 0).await;
    let drawn = scene.draw(1, 1).await;
    scene.draw(2, 1).await;
    scene.at(NEW_YEAR.plus_ms(2 * DAY)).await;
    scene.give_back(1, &drawn).await;
    scene.undo(2).await;
    scene.apply(metering::Change::StatusSet { status: metering::Status::Trial }).await;
    refused(&scene, 1, Exposure::Events).await;
}

#[tokio::test]
async fn the_items_of_one_call_count_towards_the_caps_one_after_the_other() {
    for (caps, what) in [
        (Caps { events: 3, ..GENEROUS_CAPS }, Exposure::Events),
        (Caps { credits: 20, ..GENEROUS_CAPS }, Exposure::Credits),
    ] {
        let scene = scene(caps).await;
        let asks = [1, 2, 3].map(|number| ask(scene.account, number, 10));
        let outcomes = scene.meter.debit_many(scene.account.shard(scene.stage.count), &asks).await.unwrap();
        assert!(matches!(outcomes[..2], [DebitOutcome::Drawn(_), DebitOutcome::Drawn(_)]), "{outcomes:?}");
        assert_eq!(outcomes[2], DebitOutcome::Refused(Refusal::ExposureCap { what }));
        assert_eq!(scene.lots().await, [(1, 980)].into());
    }
}
