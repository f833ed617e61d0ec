//! The restart fence: a Redis process that was not certified, or is certified anew, runs nothing of what went before.

use std::collections::BTreeMap;

use metering::live::Fence;
use metering::live::owner::{Caps, Certified, ControlRow, DrainNote, Mode, OwnerError, OwnerLink};
use metering::live::scripts::Script;
use metering::testing::GENEROUS_CAPS;
use metering::{Change, Shard, Status, TimeMs};
use redis::RedisResult;

use crate::accounts::{NEW_YEAR, ada, ask, credits, ten_days};
use crate::scene::{Scene, give_back, uncertified, undo};

fn here(scene: &Scene) -> Shard {
    scene.account.shard(scene.stage.count)
}

/// Everything that a gateway can ask is refused, and no key changes.
async fn gateways_are_refused(scene: &Scene) {
    let before = scene.everything().await;
    uncertified(&scene.meter.debit(&ask(scene.account, 1, 1)).await);
    let at_some_event = metering::live::Drawn {
        event: metering::EventId { incarnation: 1, sequence: 2 },
        seq: 1,
        at: NEW_YEAR,
        remaining: credits(0),
        budget: None,
        split: vec![],
        rates: vec![],
    };
    uncertified(&scene.meter.give_back(&give_back(scene.account, 1, &at_some_event)).await);
    uncertified(&scene.meter.undo(&undo(scene.account, 1)).await);
    uncertified(&scene.meter.credits(scene.account).await);
    uncertified(&scene.meter.snapshot(scene.account).await);
    scene.nothing_changed_since(&before, "refused").await;
}

/// Certifies anew, going on with the same incarnation, as after a restart that lost nothing.
async fn certify_again(link: &mut OwnerLink, shard: Shard, certification: u64, caps: Caps) -> Certified {
    link.seal(shard, certification).await.unwrap();
    let fence = Fence { shard, incarnation: 1, certification };
    let found = link.look(&fence).await.unwrap().expect("the incarnation is there");
    let certified = link.certify(fence, certification, Mode::Same, found.sequence, found.highest, caps).await.unwrap();
    link.open_shard(&certified).await.unwrap();
    certified
}

#[tokio::test]
async fn after_a_script_flush_nothing_runs_until_the_shard_is_certified_again() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(7, 1).await;
    let _: String = scene.command(&["SCRIPT", "FLUSH"]).await.unwrap();
    gateways_are_refused(&scene).await;
    let shard = here(&scene);
    certify_again(&mut scene.stage.link, shard, 2, GENEROUS_CAPS).await;
    let drawn = scene.draw(1, 1).await;
    assert_eq!((drawn.remaining, drawn.seq), (credits(3), 2), "the money is where it was");
}

/// Ada has drawn one of five credits, and Redis was started again and lost nothing; an owner's link to what runs now.
async fn restarted() -> (Scene, OwnerLink) {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(7, 1).await;
    scene.redis.wait_until_written();
    scene.redis.start_again();
    scene.connection = crate::scene::connect(&scene.redis.url()).await;
    // The first call may find the broken connection; from then on the fence answers.
    while !matches!(scene.meter.ping().await, Ok(())) {}
    let link = OwnerLink::open(&scene.redis.url(), std::time::Duration::from_secs(10)).await.unwrap();
    (scene, link)
}

#[tokio::test]
async fn after_a_restart_that_lost_nothing_nothing_runs_until_the_shard_is_certified_again() {
    let (scene, mut link) = restarted().await;
    gateways_are_refused(&scene).await;
    certify_again(&mut link, here(&scene), 2, GENEROUS_CAPS).await;
    assert_eq!(scene.draw(1, 1).await.remaining, credits(3));
}

#[tokio::test]
async fn a_restarted_redis_in_which_one_shard_was_certified_serves_that_one_and_no_other() {
    let (scene, mut link) = restarted().await;
    let (here, count) = (here(&scene), scene.stage.count.get());
    let other = Shard { number: (here.number + 1) % count, ..here };
    certify_again(&mut link, other, 2, GENEROUS_CAPS).await;
    gateways_are_refused(&scene).await; // the scripts are there by now, but it was not this shard that was looked at
    certify_again(&mut link, here, 2, GENEROUS_CAPS).await;
    assert_eq!(scene.draw(1, 1).await.remaining, credits(3));
}

#[tokio::test]
async fn after_everything_was_flushed_nothing_runs_and_nothing_is_written() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let _: String = scene.command(&["FLUSHALL"]).await.unwrap();
    gateways_are_refused(&scene).await;
    assert_eq!(scene.everything().await, BTreeMap::new());
    let (shard, account) = (scene.stage.shard_of(&scene.account), scene.account);
    let frozen = scene.stage.link.freeze(&shard, &account, 1).await;
    assert!(matches!(frozen, Err(OwnerError::Uncertified)), "{frozen:?}");
    assert_eq!(scene.stage.link.look(shard.fence()).await.unwrap(), None, "the incarnation is not there");
    assert_eq!(scene.everything().await, BTreeMap::new());
}

#[tokio::test]
async fn a_sealed_shard_refuses_everybody_until_it_is_certified_and_gateways_until_it_is_open() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let (shard, old) = (here(&scene), scene.stage.shard_of(&scene.account));
    let account = scene.account;
    let sealed = scene.stage.link.seal(shard, 2).await.unwrap();
    assert_eq!((sealed.incarnation, sealed.certification), (1, 1));
    gateways_are_refused(&scene).await;
    assert!(matches!(scene.stage.link.freeze(&old, &account, 2).await, Err(OwnerError::Uncertified)));
    let fence = Fence { shard, incarnation: 1, certification: 2 };
    let found = scene.stage.link.look(&fence).await.unwrap().unwrap();
    let new =
        scene.stage.link.certify(fence, 2, Mode::Same, found.sequence, found.highest, GENEROUS_CAPS).await.unwrap();
    gateways_are_refused(&scene).await;
    assert_eq!(scene.stage.link.freeze(&new, &account, 2).await.unwrap(), Some(0), "the owner is in");
    scene.stage.link.open_shard(&new).await.unwrap();
    assert_eq!(scene.refuse(1, 1).await, metering::live::Refusal::Frozen);
}

/// Runs a script under an old fence by its digest, as a command that was on its way for a long time does.
async fn late(scene: &Scene, fence: &Fence, script: Script, keys: &[String], arguments: &[&str]) -> RedisResult<()> {
    let digest = redis::Script::new(&script.text(&scene.stage.link.process().run_id)).get_hash().to_owned();
    let mut command = redis::cmd("EVALSHA");
    command.arg(digest).arg(keys.len()).arg(keys).arg(arguments).arg(fence.certification).arg(fence.incarnation);
    command.query_async(&mut scene.connection.clone()).await
}

#[tokio::test]
async fn a_late_command_of_a_zombie_gateway_is_refused_though_its_script_is_still_there() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let (shard, account, id) = (here(&scene), scene.account, scene.account.hex());
    let old = Fence { shard, incarnation: 1, certification: 1 };
    certify_again(&mut scene.stage.link, shard, 2, GENEROUS_CAPS).await;
    let before = scene.everything().await;
    let op = crate::accounts::op(1);
    let debit_keys = [
        old.meta(),
        old.events(),
        old.account(&account),
        old.lots(&account),
        old.future_lots(&account),
        old.emptied_lots(&account),
        old.closed(&op),
    ];
    let undo_keys = [old.meta(), old.events(), old.account(&account), old.closed(&op)];
    let (by, of, far) = (op.hex(), op.hex(), "9007199254740991");
    let refused = [
        late(&scene, &old, Script::Debit, &debit_keys, &["1", &by, &id, "1", far, "", "v1.messages"]).await,
        late(&scene, &old, Script::GiveBack, &debit_keys, &[&by, &id, &of, "1-2", far]).await,
        late(&scene, &old, Script::Undo, &undo_keys, &[&by, &id, &of, far]).await,
    ];
    for answer in refused {
        assert_eq!(answer.unwrap_err().code(), Some("UNCERTIFIED"));
    }
    scene.nothing_changed_since(&before, "refused").await;
    let current = Fence { certification: 2, ..old };
    late(&scene, &current, Script::Undo, &undo_keys, &[&by, &id, &of, far]).await.unwrap();
}

#[tokio::test]
async fn a_late_command_of_a_zombie_owner_is_refused() {
    let image = ada(vec![ten_days(1, 5)]);
    let mut scene = Scene::with(&image).await;
    let (shard, zombie) = (here(&scene), scene.stage.shard_of(&scene.account));
    certify_again(&mut scene.stage.link, shard, 2, GENEROUS_CAPS).await;
    let before = scene.everything().await;
    let change = Change::StatusSet { status: Status::Suspended };
    let row = ControlRow { row: 2, account: image.account, version: 2, change };
    let link = &mut scene.stage.link;
    let note = DrainNote { drained: 1, credits: 0, keep_from: 1, closed: vec![], marks: vec![] };
    let refused = [
        link.control(&zombie, &[row]).await.map(drop),
        link.install(&zombie, std::slice::from_ref(&image)).await.map(drop),
        link.freeze(&zombie, &image.account, 1).await.map(drop),
        link.note_drained(&zombie, &note).await.map(drop),
        link.open_shard(&zombie).await,
    ];
    for answer in refused {
        assert!(matches!(answer, Err(OwnerError::Uncertified)), "{answer:?}");
    }
    let fence = *zombie.fence();
    assert!(matches!(link.seal(shard, 1).await, Err(OwnerError::Newer(2))), "an owner of an older epoch");
    let certified = link.certify(fence, 1, Mode::Same, 1, TimeMs::EPOCH, GENEROUS_CAPS).await;
    assert!(matches!(certified, Err(OwnerError::Newer(2))), "{certified:?}");
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn a_new_incarnation_shares_no_key_with_the_one_before_and_its_clock_goes_on() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let drawn = scene.draw(1, 2).await;
    let shard = here(&scene);
    let link = &mut scene.stage.link;
    link.seal(shard, 2).await.unwrap();
    let old = Fence { shard, incarnation: 1, certification: 1 };
    let highest = link.look(&old).await.unwrap().unwrap().highest;
    assert_eq!(highest, NEW_YEAR);
    let fence = Fence { shard, incarnation: 2, certification: 2 };
    let certified = link.certify(fence, 2, Mode::New, 0, highest, GENEROUS_CAPS).await.unwrap();
    assert_eq!(link.look(&fence).await.unwrap().unwrap().highest, NEW_YEAR, "its clock does not go back");
    link.open_shard(&certified).await.unwrap();
    assert_eq!(scene.refuse(2, 1).await, metering::live::Refusal::Installing);
    let image = metering::AccountImage { seq: 1, ..ada(vec![ten_days(1, 3)]) };
    scene.stage.link.install(&certified, &[image]).await.unwrap();
    let of_old = give_back(scene.account, 1, &drawn);
    let outcome = scene.meter.give_back(&of_old).await.unwrap();
    assert_eq!(outcome, metering::live::GiveBackOutcome::BecameUndo, "the event of another incarnation");
    assert_eq!(scene.draw(3, 1).await.event, metering::EventId { incarnation: 2, sequence: 3 });
    let gone = scene.stage.link.forget(shard, 1).await.unwrap();
    assert!(gone >= 3, "meta, events, account");
    assert_eq!(scene.draw(4, 1).await.remaining, credits(1), "only the old incarnation is forgotten");
}

#[tokio::test]
async fn an_incarnation_number_is_used_once() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let shard = here(&scene);
    scene.stage.link.seal(shard, 2).await.unwrap();
    let fence = Fence { shard, incarnation: 1, certification: 2 };
    let before = scene.everything().await;
    let again = scene.stage.link.certify(fence, 2, Mode::New, 0, TimeMs::EPOCH, GENEROUS_CAPS).await;
    assert!(again.is_err(), "{again:?}");
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn an_incarnation_goes_on_only_from_where_its_stream_ends() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(1, 1).await;
    let shard = here(&scene);
    scene.stage.link.seal(shard, 2).await.unwrap();
    let fence = Fence { shard, incarnation: 1, certification: 2 };
    let before = scene.everything().await;
    for drained in [1, 3] {
        let certified = scene.stage.link.certify(fence, 2, Mode::Same, drained, NEW_YEAR, GENEROUS_CAPS).await;
        assert!(certified.is_err(), "drained to {drained}: {certified:?}");
    }
    scene.nothing_changed_since(&before, "what is undrained would no longer be counted as exposed").await;
    scene.stage.link.certify(fence, 2, Mode::Same, 2, NEW_YEAR, GENEROUS_CAPS).await.unwrap();
}

#[tokio::test]
async fn gateways_stay_out_of_a_shard_certified_over_one_that_was_never_sealed() {
    // A shard can become certified between another owner's look and its seal; then the seal meets an older incarnation.
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let shard = here(&scene);
    let fence = Fence { shard, incarnation: 1, certification: 2 };
    let certified = scene.stage.link.certify(fence, 2, Mode::Same, 1, NEW_YEAR, GENEROUS_CAPS).await.unwrap();
    uncertified(&scene.meter.debit(&ask(scene.account, 1, 1)).await);
    scene.stage.link.open_shard(&certified).await.unwrap();
    scene.draw(1, 1).await;
}

#[tokio::test]
async fn a_gateway_waits_a_moment_for_a_hand_over_between_owners() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let shard = here(&scene);
    scene.stage.link.seal(shard, 2).await.unwrap();
    let (meter, ask) = (scene.meter.clone(), ask(scene.account, 1, 1));
    let (outcome, _) = tokio::join!(meter.debit(&ask), certify_again(&mut scene.stage.link, shard, 2, GENEROUS_CAPS));
    assert_eq!(crate::accounts::drawn(outcome.unwrap()).remaining, credits(4));
}

#[tokio::test]
async fn a_redis_with_another_shard_count_is_refused() {
    let mut scene = Scene::with(&ada(vec![])).await;
    let other = metering::ShardCount::new(3).unwrap();
    let refused = scene.stage.link.agree_on_shards(other).await;
    assert!(matches!(refused, Err(OwnerError::ShardCount { live: 2, book: 3 })), "{refused:?}");
}
