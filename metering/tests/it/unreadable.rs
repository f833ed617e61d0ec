//! An account whose hash was spoilt: it is refused alone and named, and an install of a frozen one mends it.

use metering::live::owner::{ControlOutcome, InstallOutcome};
use metering::live::{Debit, DebitOutcome, MeterError, Refusal};
use metering::{AccountId, Change};

use crate::accounts::{NEW_YEAR, ada, ask, credits, ten_days};
use crate::scene::Scene;

const SPOILT: [(&str, &str); 6] = [
    ("m", "1 2"),
    ("m", "larger than 2 to 53 -"),
    ("c", "a and what it was"),
    ("c", "a: a letter, and five large numbers."),
    ("c", "A\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ("d", "soon"),
];

/// Ada, and somebody in the same shard whose debits come in the same call.
async fn both() -> (Scene, AccountId) {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 50)])).await;
    let other = (1..).map(|number| AccountId::from_uuid(uuid::Uuid::from_u128(number)));
    let same_shard = |account: &AccountId| account.shard(scene.stage.count) == scene.account.shard(scene.stage.count);
    let other = other.into_iter().find(same_shard).unwrap();
    let image = metering::AccountImage { account: other, ..ada(vec![ten_days(2, 50)]) };
    assert_eq!(scene.stage.install(&image).await, InstallOutcome::Installed);
    (scene, other)
}

async fn spoil(scene: &Scene, field: &str, value: &str) {
    let key = scene.stage.shard_of(&scene.account).fence().account(&scene.account);
    let _: i64 = scene.command(&["HSET", &key, field, value]).await.unwrap();
}

#[tokio::test]
async fn a_spoilt_account_is_refused_alone_and_named_by_its_field() {
    for (field, value) in SPOILT {
        let (scene, other) = both().await;
        spoil(&scene, field, value).await;
        let shard = other.shard(scene.stage.count);
        // More than the head lot holds, so that the fields behind it are needed, too.
        let asks: Vec<Debit> = vec![ask(other, 1, 3), ask(scene.account, 2, 51), ask(other, 3, 4)];
        let answers = scene.meter.debit_many(shard, &asks).await.unwrap();
        let drawn = |answer: &DebitOutcome| matches!(answer, DebitOutcome::Drawn(_));
        assert!(drawn(&answers[0]) && drawn(&answers[2]), "{field}: {answers:?}");
        assert_eq!(answers[1], DebitOutcome::Refused(Refusal::Frozen), "{field}");
        let looked = scene.meter.snapshot(scene.account).await;
        let named = format!("what live state holds can't be read: field {field} of the account's hash");
        assert_eq!(looked.unwrap_err().to_string(), named);
        assert!(matches!(scene.meter.credits(scene.account).await, Err(MeterError::Uncertified)), "{field}");
        assert_eq!(scene.meter.snapshot(other).await.unwrap().unwrap().cached_total, credits(43));
    }
}

#[tokio::test]
async fn a_lot_that_can_not_be_read_is_told_and_no_lost_connection() {
    let scene = Scene::with(&ada(vec![ten_days(1, 50), ten_days(2, 50)])).await;
    let lots = scene.stage.shard_of(&scene.account).fence().lots(&scene.account);
    let _: i64 = scene.command(&["ZADD", &lots, "1", "nonsense"]).await.unwrap();
    let looked = scene.meter.snapshot(scene.account).await;
    assert!(matches!(looked, Err(MeterError::Unreadable(_))), "{looked:?}");
}

#[tokio::test]
async fn a_call_that_breaks_at_a_spoilt_lot_leaves_a_shard_that_works() {
    let (mut scene, other) = both().await;
    let shard = scene.stage.shard_of(&scene.account);
    let lots = shard.fence().lots(&scene.account);
    let _: i64 =
        scene.command(&["ZADD", &lots, &NEW_YEAR.plus_ms(9_000).as_u64().to_string(), "nonsense"]).await.unwrap();
    let image = metering::AccountImage { account: other, seq: 0, ..ada(vec![ten_days(2, 50), ten_days(3, 50)]) };
    assert_eq!(scene.stage.install(&image).await, InstallOutcome::Installed);
    // The account says that there is more than its head lot holds, and no lot behind it can be read.
    let hash = scene.stage.shard_of(&scene.account).fence().account(&scene.account);
    let grow = "local f = '>c1I7I7I7I7I7' local s, l, h, t, n, p = struct.unpack(f, redis.call('HGET', KEYS[1], 'c')) \
                redis.call('HSET', KEYS[1], 'c', struct.pack(f, s, l, h, t + 50, n, p))";
    let _: redis::Value = scene.command(&["EVAL", grow, "1", &hash]).await.unwrap();
    let asks = [ask(other, 1, 60), ask(scene.account, 2, 60)];
    let broken = scene.meter.debit_many(other.shard(scene.stage.count), &asks).await;
    assert!(matches!(broken, Err(MeterError::Unknown(_))), "{broken:?}");
    let next = scene.meter.debit(&ask(other, 3, 1)).await.unwrap();
    assert!(matches!(&next, DebitOutcome::Drawn(drawn) if drawn.remaining == credits(39)), "{next:?}");
}

#[tokio::test]
async fn any_change_makes_the_owner_install_a_spoilt_account_anew_once_it_is_frozen() {
    for (field, value) in SPOILT {
        let (mut scene, _) = both().await;
        spoil(&scene, field, value).await;
        assert_eq!(scene.control(Change::RebuildAsked).await, ControlOutcome::Frozen, "{field}");
        let image = ada(vec![ten_days(1, 50)]);
        let at_another_event = metering::AccountImage { seq: 7, ..image.clone() };
        assert_eq!(scene.stage.install(&at_another_event).await, InstallOutcome::Moved, "{field}: not frozen yet");
        let shard = scene.stage.shard_of(&scene.account);
        scene.stage.link.freeze(&shard, &image.account, 1).await.unwrap();
        assert_eq!(scene.stage.install(&image).await, InstallOutcome::Installed, "{field}");
        assert_eq!(scene.draw(9, 5).await.remaining, credits(45));
        assert!(scene.snapshot().await.at >= NEW_YEAR);
    }
}

#[tokio::test]
async fn a_rebuild_that_was_asked_for_changes_nothing_by_itself() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 50)])).await;
    let before = scene.everything().await;
    assert_eq!(scene.control(Change::RebuildAsked).await, ControlOutcome::NeedsInstall);
    scene.nothing_changed_since(&before, "the owner installs the account").await;
}

#[tokio::test]
async fn what_an_earlier_form_says_of_a_shard_is_not_taken_for_this_one() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 50)])).await;
    let fence = *scene.stage.shard_of(&scene.account).fence();
    assert!(scene.stage.link.look(&fence).await.unwrap().is_some());
    let text_as_long_as_three_packed_numbers = "12345 1893456000000 0";
    let _: i64 = scene.command(&["HSET", &fence.meta(), "live", text_as_long_as_three_packed_numbers]).await.unwrap();
    assert_eq!(scene.stage.link.look(&fence).await.unwrap(), None);
}
