//! A Redis that can't write to its disk: it refuses every write before it does anything, and has lost nothing that it answered once there is room.

use std::time::{Duration, Instant};

use metering::live::owner::{DrainNote, Mode, OwnerLink};
use metering::live::{Drawn, Fence, MeterError, Place, UndoOutcome};
use metering::testing::{GENEROUS_CAPS, RedisServer, Stage};
use metering::{AccountImage, TimeMs};

use crate::accounts::{ada, ask, credits, drawn, ten_days};
use crate::out_of_memory::{every_write_is_refused, everything_goes_on};
use crate::scene::{Scene, connect, undo};

const PATIENCE: Duration = Duration::from_secs(20);

/// Until Redis lets writes through, or lets none through; each try leaves a key that is none of ours.
async fn until_writes_are_let_through(scene: &Scene, yes: bool) {
    let started = Instant::now();
    loop {
        match scene.command::<String>(&["SET", "filler", "x"]).await {
            Ok(_) if yes => return,
            Err(refused) if !yes => return assert_eq!(refused.code(), Some("MISCONF"), "{refused}"),
            _ => assert!(started.elapsed() < PATIENCE, "waited in vain"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn image() -> AccountImage {
    ada(vec![ten_days(1, 5), ten_days(2, 5)])
}

/// Nothing is written while it lasts, by anybody; people may look.
async fn nothing_is_written(scene: &mut Scene, drawn: &Drawn) {
    let before = scene.everything().await;
    every_write_is_refused(scene, &image(), drawn).await;
    let note = DrainNote { drained: 2, credits: 1, keep_from: 2, closed: vec![], marks: vec![] };
    let certified = scene.stage.shard_of(&scene.account);
    assert!(scene.stage.link.note_drained(&certified, &note).await.is_err(), "the owner is refused, too");
    scene.nothing_changed_since(&before, "refused").await;
    let known = scene.stage.link.agree_on_shards(scene.stage.count).await;
    known.expect("an installation that is known is only looked at");
    assert_eq!(scene.meter.credits(scene.account).await.unwrap().remaining, credits(9));
    assert_eq!(scene.events().await.len(), 3, "opened, installed, drawn: the owner can read what is there");
}

#[tokio::test]
async fn a_full_disk_refuses_every_write_and_keeps_what_was_answered() {
    let mut scene = Scene::with(&image()).await;
    let drawn = scene.draw(1, 1).await;
    scene.redis.fill_disk(10); // the next write is cut off in the middle
    until_writes_are_let_through(&scene, false).await;
    nothing_is_written(&mut scene, &drawn).await;
    scene.redis.make_room();
    until_writes_are_let_through(&scene, true).await;
    everything_goes_on(&scene, &drawn).await;
    until_all_is_in_the_file(&scene).await;
    let before = scene.everything().await;
    start_again(&mut scene.redis).await;
    scene.connection = connect(&scene.redis.url()).await;
    scene.nothing_changed_since(&before, "what was answered is in the file").await;
}

/// Until it has read its file.
async fn start_again(redis: &mut RedisServer) {
    redis.start_again();
    let (place, started) = (Place::new(&redis.url()), Instant::now());
    while redis.try_command(&place, &["PING"]).is_err() {
        assert!(started.elapsed() < PATIENCE, "redis does not read its file");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A process that is killed has lost what it had not written to its file yet.
async fn until_all_is_in_the_file(scene: &Scene) {
    let started = Instant::now();
    while !scene.command::<String>(&["INFO", "persistence"]).await.unwrap().contains("aof_buffer_length:0\r") {
        assert!(started.elapsed() < PATIENCE, "redis does not write its file");
    }
}

#[tokio::test]
async fn a_snapshot_that_could_not_be_written_refuses_every_write_until_one_can() {
    let mut scene = Scene::with(&image()).await;
    let drawn = scene.draw(1, 1).await;
    let in_the_way = scene.redis.directory().join("dump.rdb");
    std::fs::create_dir(&in_the_way).unwrap();
    scene.redis.command(&["CONFIG", "SET", "save", "3600 1"]); // else Redis does not mind
    scene.redis.command(&["BGSAVE"]);
    until_writes_are_let_through(&scene, false).await;
    nothing_is_written(&mut scene, &drawn).await;
    std::fs::remove_dir(&in_the_way).unwrap();
    scene.redis.command(&["BGSAVE"]);
    until_writes_are_let_through(&scene, true).await;
    everything_goes_on(&scene, &drawn).await;
}

#[tokio::test]
async fn a_redis_that_writes_before_it_answers_ends_with_its_disk_full_and_has_all_that_it_answered() {
    let mut redis = RedisServer::start_with_fsync("always");
    let mut stage = Stage::open(&redis.url(), 2, 1).await;
    let mut image = image();
    image.lots.iter_mut().for_each(|lot| lot.granted_at = TimeMs::EPOCH);
    stage.install(&image).await;
    let (meter, account) = (stage.meter().await, image.account);
    assert_eq!(drawn(meter.debit(&ask(account, 1, 1)).await.unwrap()).seq, 1);
    redis.fill_disk(0);
    let unknown = meter.debit(&ask(account, 2, 1)).await;
    assert!(matches!(unknown, Err(MeterError::Unknown(_))), "its connection ended without a word: {unknown:?}");
    let started = Instant::now();
    while !redis.has_ended() {
        assert!(started.elapsed() < PATIENCE, "redis goes on with a full disk");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(meter.undo(&undo(account, 2)).await.is_err(), "nobody is there");
    start_again(&mut redis).await;
    let shard = account.shard(stage.count);
    let mut link = OwnerLink::open(&redis.url(), Duration::from_secs(10)).await.unwrap();
    link.seal(shard, 2).await.unwrap();
    let fence = Fence { shard, incarnation: 1, certification: 2 };
    let found = link.look(&fence).await.unwrap().expect("the shard is there");
    assert_eq!(found.sequence, 2, "installed, drawn: what was not answered was not written");
    let certified = link.certify(fence, 2, Mode::Same, 2, TimeMs::EPOCH, GENEROUS_CAPS).await.unwrap();
    link.open_shard(&certified).await.unwrap();
    assert_eq!(meter.undo(&undo(account, 2)).await.unwrap(), UndoOutcome::Marked);
    assert_eq!(drawn(meter.debit(&ask(account, 3, 1)).await.unwrap()).remaining, credits(8));
}
