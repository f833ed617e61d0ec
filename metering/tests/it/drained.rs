//! The owner notes how far the book is, and lets go of events that were there long enough.

use metering::live::owner::{DrainNote, OwnerError};
use metering::{Body, EventId};

use crate::accounts::{NEW_YEAR, ada, op, ten_days};
use crate::scene::Scene;

async fn note(scene: &mut Scene, drained: u64, credits: u64, keep_from: u64) -> Result<u64, OwnerError> {
    let shard = scene.stage.shard_of(&scene.account);
    let note = DrainNote { drained, credits, keep_from, closed: vec![], marks: vec![] };
    scene.stage.link.note_drained(&shard, &note).await.map(|stream| stream.sequence)
}

/// Sequences of the events in the stream.
async fn kept(scene: &mut Scene) -> Vec<u64> {
    scene.events().await.iter().map(|event| event.id.sequence).collect()
}

#[tokio::test]
async fn the_note_answers_where_the_stream_is_by_now() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    scene.draw(1, 1).await;
    let shard = scene.stage.shard_of(&scene.account);
    scene.at(NEW_YEAR.plus_ms(5)).await;
    let stream = scene.stage.link.note_drained(&shard, &DrainNote::default()).await.unwrap();
    assert_eq!((stream.sequence, stream.highest), (2, NEW_YEAR.plus_ms(5)));
    assert_eq!(kept(&mut scene).await, [0, 1, 2], "nothing was let go");
}

#[tokio::test]
async fn events_before_the_first_to_keep_go_and_the_rest_stays() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    for number in 1..=4 {
        scene.draw(number, 1).await;
    }
    assert_eq!(note(&mut scene, 4, 3, 2).await.unwrap(), 5);
    assert_eq!(kept(&mut scene).await, [2, 3, 4, 5]);
    assert_eq!(note(&mut scene, 4, 0, 4).await.unwrap(), 5);
    assert_eq!(kept(&mut scene).await, [4, 5], "the last drained event stays, for the next certification");
    assert_eq!(note(&mut scene, 4, 0, 4).await.unwrap(), 5, "twice is as once");
    assert_eq!(kept(&mut scene).await, [4, 5]);
    let fence = *scene.stage.shard_of(&scene.account).fence();
    let last = scene.stage.link.entry_at(&fence, 4).await.unwrap().unwrap().event.unwrap();
    assert_eq!((last.id, last.body.op()), (EventId { incarnation: 1, sequence: 4 }, Some(op(3))));
    assert_eq!(scene.stage.link.entry_at(&fence, 3).await.unwrap(), None);
    assert_eq!(scene.draw(9, 1).await.event.sequence, 6, "numbers go on");
}

#[tokio::test]
async fn what_was_not_drained_is_never_let_go() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    scene.draw(1, 1).await;
    let before = scene.everything().await;
    assert!(note(&mut scene, 1, 0, 2).await.is_err(), "to keep from after what was drained");
    assert!(note(&mut scene, 3, 0, 1).await.is_err(), "drained further than the stream goes");
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn the_events_are_read_back_in_pieces_without_a_gap() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    for number in 1..=4 {
        scene.draw(number, 1).await;
    }
    let fence = *scene.stage.shard_of(&scene.account).fence();
    let first = scene.stage.link.events_from(&fence, 0, 2).await.unwrap();
    assert_eq!(first[0].body, Body::Opened);
    assert_eq!(first[1].body.kind(), "installed");
    let second = scene.stage.link.events_from(&fence, 2, 3).await.unwrap();
    assert_eq!(second.iter().map(|event| event.id.sequence).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(second.iter().filter_map(|event| event.body.seq()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(scene.stage.link.events_from(&fence, 6, 3).await.unwrap(), []);
    let shard = fence.shard;
    let from = EventId { incarnation: 1, sequence: 2 };
    let seen = scene.meter.entries_from(shard, from, 3).await.unwrap();
    let seen: Vec<_> = seen.into_iter().map(|entry| entry.event.unwrap()).collect();
    assert_eq!(seen, second, "gateways' connections see the same");
}
