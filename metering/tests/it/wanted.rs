//! Accounts that are asked for in vain while their shard is being installed: the owner is told, and writes them first.

use metering::AccountId;
use metering::live::Refusal;
use metering::live::owner::OwnerError;
use metering::testing::GENEROUS_CAPS;
use uuid::Uuid;

use crate::accounts::{ada, ask, refused, ten_days};
use crate::scene::Scene;

/// What the owner hears, and whether it goes on listening.
async fn hears(scene: &mut Scene, goes_on: bool) -> Vec<AccountId> {
    let certified = scene.stage.shard_of(&scene.account);
    scene.stage.link.wanted(&certified, goes_on).await.unwrap()
}

/// Nobody's account, of the shard that the story is about.
fn strangers(scene: &Scene) -> impl Iterator<Item = AccountId> {
    let (count, shard) = (scene.stage.count, scene.account.shard(scene.stage.count));
    (1_u128..)
        .map(|number| AccountId::from_uuid(Uuid::from_u128(number)))
        .filter(move |account| account.shard(count) == shard)
}

#[tokio::test]
async fn an_owner_that_installs_hears_whom_callers_ask_for() {
    let mut scene = Scene::empty(ada(vec![]).account, GENEROUS_CAPS).await;
    assert_eq!(hears(&mut scene, true).await, []);
    assert_eq!(scene.refuse(1, 1).await, Refusal::Installing);
    assert_eq!(scene.refuse(2, 1).await, Refusal::Installing);
    let other = strangers(&scene).next().unwrap();
    refused(scene.meter.debit(&ask(other, 3, 1)).await.unwrap());
    assert_eq!(hears(&mut scene, true).await, [scene.account, other], "each once, in the order of their first call");
    assert_eq!(hears(&mut scene, true).await, [], "and then no more");
    scene.stage.install(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(4, 1).await;
    assert_eq!(hears(&mut scene, false).await, [], "who is there is not asked for in vain");
}

#[tokio::test]
async fn without_an_install_a_refusal_leaves_no_trace() {
    let mut scene = Scene::empty(ada(vec![]).account, GENEROUS_CAPS).await;
    let before = scene.everything().await;
    assert_eq!(scene.refuse(1, 1).await, Refusal::Installing);
    scene.nothing_changed_since(&before, "no owner listens").await;
    hears(&mut scene, true).await;
    hears(&mut scene, false).await;
    assert_eq!(scene.refuse(2, 1).await, Refusal::Installing);
    assert_eq!(hears(&mut scene, true).await, [], "it had stopped listening");
}

#[tokio::test]
async fn not_more_than_64_are_remembered() {
    let mut scene = Scene::empty(ada(vec![]).account, GENEROUS_CAPS).await;
    hears(&mut scene, true).await;
    let many: Vec<AccountId> = strangers(&scene).take(70).collect();
    for (number, account) in many.iter().enumerate() {
        refused(scene.meter.debit(&ask(*account, number as u128 + 1, 1)).await.unwrap());
    }
    assert_eq!(hears(&mut scene, true).await, many[..64]);
}

#[tokio::test]
async fn without_memory_callers_are_told_to_wait_and_the_others_of_their_call_too() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    hears(&mut scene, true).await;
    scene.run_out_of_memory().await;
    let stranger = strangers(&scene).next().unwrap();
    assert_eq!(refused(scene.meter.debit(&ask(stranger, 1, 1)).await.unwrap()), Refusal::Installing);
    let shard = scene.account.shard(scene.stage.count);
    let asks = [ask(stranger, 2, 1), ask(scene.account, 3, 1)];
    crate::scene::unavailable(&scene.meter.debit_many(shard, &asks).await);
    assert_eq!(scene.snapshot().await.seq, 0, "nothing was drawn");
    scene.find_memory_again().await;
    assert_eq!(scene.draw(3, 1).await.seq, 1);
    assert_eq!(hears(&mut scene, false).await, [], "nobody was remembered, and nobody lost anything by it");
}

#[tokio::test]
async fn an_owner_of_before_hears_nothing() {
    let scene = Scene::empty(ada(vec![]).account, GENEROUS_CAPS).await;
    let before = scene.stage.shard_of(&scene.account);
    let mut stage = metering::testing::Stage::open(&scene.redis.url(), 2, 2).await;
    assert!(matches!(stage.link.wanted(&before, true).await, Err(OwnerError::Uncertified)));
}
