//! A Redis without memory: every write is refused before it does anything, and draining, which frees memory, goes on.

use std::time::Duration;

use metering::live::owner::{DrainNote, Mode, OwnerLink};
use metering::live::{Drawn, Fence, GiveBackOutcome, UndoOutcome};
use metering::testing::GENEROUS_CAPS;
use metering::{AccountImage, Change, TimeMs};

use crate::accounts::{DAY, NEW_YEAR, ada, ask, credits, lot, ten_days};
use crate::scene::{Scene, give_back, unavailable, undo};

/// Of an account with two lots of five, of which the first debit has drawn one.
pub async fn every_write_is_refused(scene: &mut Scene, image: &AccountImage, drawn: &Drawn) {
    unavailable(&scene.meter.debit(&ask(scene.account, 2, 1)).await);
    unavailable(&scene.meter.debit(&ask(scene.account, 2, 7)).await);
    let shard = scene.account.shard(scene.stage.count);
    let asks = [3, 4, 5].map(|number| ask(scene.account, number, 2));
    unavailable(&scene.meter.debit_many(shard, &asks).await);
    unavailable(&scene.meter.give_back(&give_back(scene.account, 1, drawn)).await);
    unavailable(&scene.meter.undo(&undo(scene.account, 2)).await);
    let certified = scene.stage.shard_of(&scene.account);
    let row = metering::live::owner::ControlRow {
        row: 9,
        account: scene.account,
        version: 2,
        change: Change::BudgetSet { limit: credits(1) },
    };
    assert!(scene.stage.link.control(&certified, &[row]).await.is_err());
    let image = AccountImage { seq: 1, ..image.clone() };
    assert!(scene.stage.link.install(&certified, std::slice::from_ref(&image)).await.is_err());
    assert!(scene.stage.link.freeze(&certified, &image.account, 1).await.is_err());
}

/// What was refused can be done now, and left nothing behind.
pub async fn everything_goes_on(scene: &Scene, drawn: &Drawn) {
    assert_eq!(scene.draw(2, 7).await.seq, 2);
    assert!(matches!(scene.give_back(1, drawn).await, GiveBackOutcome::Returned { .. }));
    assert_eq!(scene.undo(9).await, UndoOutcome::Marked);
}

#[tokio::test]
async fn every_call_is_refused_without_a_trace_and_works_again_afterwards() {
    let image = ada(vec![ten_days(1, 5), ten_days(2, 5)]);
    let mut scene = Scene::with(&image).await;
    let drawn = scene.draw(1, 1).await;
    scene.run_out_of_memory().await;
    let before = scene.everything().await;
    every_write_is_refused(&mut scene, &image, &drawn).await;
    scene.nothing_changed_since(&before, "refused").await;
    assert_eq!(scene.meter.credits(scene.account).await.unwrap().remaining, credits(9), "looking needs no memory");
    scene.find_memory_again().await;
    everything_goes_on(&scene, &drawn).await;
}

#[tokio::test]
async fn a_debit_that_has_to_write_lots_anew_is_refused_whole_too() {
    let edge = NEW_YEAR.plus_ms(10);
    let mut scene =
        Scene::with(&ada(vec![lot(1, 5, NEW_YEAR, edge), ten_days(2, 5), lot(3, 5, edge, edge.plus_ms(DAY))])).await;
    scene.at(edge).await;
    scene.run_out_of_memory().await;
    let before = scene.everything().await;
    unavailable(&scene.meter.debit(&ask(scene.account, 1, 7)).await);
    scene.nothing_changed_since(&before, "refused").await;
    scene.find_memory_again().await;
    assert_eq!(crate::accounts::split(&scene.draw(1, 7).await), "3:5,2:2");
}

#[tokio::test]
async fn the_owner_goes_on_draining_and_so_frees_memory() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 500)])).await;
    for number in 0..100 {
        scene.draw(number, 1).await;
    }
    let shard = scene.stage.shard_of(&scene.account);
    scene.run_out_of_memory().await;
    let note = DrainNote { drained: 101, credits: 100, keep_from: 101, closed: vec![], marks: vec![] };
    let stream = scene.stage.link.note_drained(&shard, &note).await.expect("letting events go needs no memory");
    assert_eq!(stream.sequence, 101);
    assert_eq!(scene.events().await.len(), 1);
}

#[tokio::test]
async fn a_new_owner_takes_over_and_drains() {
    let scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(1, 1).await;
    scene.run_out_of_memory().await;
    let shard = scene.account.shard(scene.stage.count);
    let mut link = OwnerLink::open(&scene.redis.url(), Duration::from_secs(10)).await.unwrap();
    link.agree_on_shards(scene.stage.count).await.expect("an installation that is known needs no memory");
    link.seal(shard, 2).await.expect("sealing needs no memory");
    let fence = Fence { shard, incarnation: 1, certification: 2 };
    let certified = link.certify(fence, 2, Mode::Same, 2, TimeMs::EPOCH, GENEROUS_CAPS).await;
    let certified = certified.expect("going on needs no memory");
    link.open_shard(&certified).await.expect("opening needs no memory");
    let note = DrainNote { drained: 2, credits: 1, keep_from: 2, closed: vec![], marks: vec![] };
    link.note_drained(&certified, &note).await.unwrap();
    unavailable(&scene.meter.debit(&ask(scene.account, 2, 1)).await);
    scene.find_memory_again().await;
    assert_eq!(scene.draw(2, 1).await.seq, 2);
}
