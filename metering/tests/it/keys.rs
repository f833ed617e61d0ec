//! API keys in live state: found, unknown only on good authority, changed and told.

use std::time::Duration;

use futures::StreamExt;
use metering::live::Changed;
use metering::{AccountId, KeyDigest, KeyImage, KeyPolicy, KeyState, Status, TimeMs};
use uuid::Uuid;

use crate::accounts::{NEW_YEAR, ada, key};
use crate::scene::{Scene, uncertified};

fn digest(number: u8) -> KeyDigest {
    KeyDigest::from_hex(&format!("{number:02x}").repeat(32)).unwrap()
}

fn adas_key(number: u8) -> KeyImage {
    KeyImage {
        digest: digest(number),
        account: AccountId::from_uuid(Uuid::from_u128(0xada)),
        key: key(u128::from(number)),
        state: KeyState::Active,
        account_status: Status::Active,
        expires_at: None,
        policy: KeyPolicy::default(),
        rates_of: key(u128::from(number)),
    }
}

#[tokio::test]
async fn a_key_is_found_as_it_was_put() {
    let mut scene = Scene::with(&ada(vec![])).await;
    let policy =
        r#"{"scopes":["a:b"],"addresses":["10.0.0.0/8"],"rates":[{"name":"r","count":1,"per_ms":1000,"burst":2}]}"#;
    let policy: KeyPolicy = serde_json::from_str(policy).unwrap();
    let expiring = KeyImage { expires_at: Some(NEW_YEAR), policy, rates_of: key(1), ..adas_key(2) };
    let plain = adas_key(1);
    scene.stage.put_key(plain.clone()).await;
    scene.stage.put_key(expiring.clone()).await;
    assert_eq!(scene.meter.find_key(&digest(1)).await.unwrap(), Some(plain));
    assert_eq!(scene.meter.find_key(&digest(2)).await.unwrap(), Some(expiring));
    assert_eq!(scene.meter.find_key(&digest(3)).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_put_again_is_as_it_was_put_last() {
    let mut scene = Scene::with(&ada(vec![])).await;
    scene.stage.put_key(KeyImage { expires_at: Some(TimeMs::new(5)), ..adas_key(1) }).await;
    let revoked = KeyImage { state: KeyState::Revoked, account_status: Status::Suspended, ..adas_key(1) };
    for _ in 0..2 {
        scene.stage.put_key(revoked.clone()).await;
        assert_eq!(scene.meter.find_key(&digest(1)).await.unwrap(), Some(revoked.clone()));
    }
}

#[tokio::test]
async fn every_status_of_an_account_reaches_its_keys() {
    let mut scene = Scene::with(&ada(vec![])).await;
    for account_status in Status::ALL {
        let image = KeyImage { account_status, ..adas_key(1) };
        scene.stage.put_key(image.clone()).await;
        assert_eq!(scene.meter.find_key(&digest(1)).await.unwrap(), Some(image));
    }
}

#[tokio::test]
async fn gateways_are_told_which_key_changed() {
    let mut scene = Scene::with(&ada(vec![])).await;
    let mut changes = Box::pin(scene.meter.changes().await.unwrap());
    scene.stage.put_key(adas_key(1)).await;
    scene.stage.put_key(adas_key(2)).await;
    for number in [1, 2] {
        let told = tokio::time::timeout(Duration::from_secs(10), changes.next()).await.unwrap();
        assert_eq!(told, Some(Changed::Key(digest(number))));
    }
    scene.redis.kill();
    let ended = tokio::time::timeout(Duration::from_secs(10), changes.next()).await.unwrap();
    assert_eq!(ended, None, "what was cached must be asked again");
}

#[tokio::test]
async fn looking_a_key_up_writes_nothing() {
    let mut scene = Scene::with(&ada(vec![])).await;
    scene.stage.put_key(adas_key(1)).await;
    let before = scene.everything().await;
    scene.meter.find_key(&digest(1)).await.unwrap();
    scene.meter.find_key(&digest(2)).await.unwrap();
    scene.nothing_changed_since(&before, "looked at").await;
}

#[tokio::test]
async fn an_uncertified_shard_never_says_that_a_key_is_unknown() {
    let mut scene = Scene::with(&ada(vec![])).await;
    scene.stage.put_key(adas_key(1)).await;
    let shard = digest(1).shard(scene.stage.count);
    let unknown = (2..=u8::MAX).map(digest).find(|digest| digest.shard(scene.stage.count) == shard).unwrap();
    assert_eq!(scene.meter.find_key(&unknown).await.unwrap(), None);
    scene.stage.link.seal(shard, 2).await.unwrap();
    uncertified(&scene.meter.find_key(&digest(1)).await);
    uncertified(&scene.meter.find_key(&unknown).await);
}

#[tokio::test]
async fn each_write_is_counted_so_that_lost_ones_show() {
    let mut scene = Scene::with(&ada(vec![])).await;
    let here = digest(1).shard(scene.stage.count);
    let mut expected = 0;
    for number in 1..10 {
        scene.stage.put_key(adas_key(number)).await;
        if digest(number).shard(scene.stage.count) == here {
            expected += 1;
        }
    }
    let fence = metering::live::Fence { shard: here, incarnation: 1, certification: 1 };
    assert_eq!(scene.stage.link.look(&fence).await.unwrap().unwrap().sequence, expected);
}
