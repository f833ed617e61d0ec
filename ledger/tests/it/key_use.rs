//! Keys in use: held to another policy, replaced by another key.

use ledger::{NewKey, Rotation};
use metering::{AccountId, ApiKey, KeyId, KeyImage, KeyMode, KeyPolicy, Status, TimeMs};
use uuid::Uuid;

use crate::actors::{DAY, NOON, Operator, Stream, by, op, shard_of};

const POLICY: &str = r#"{"scopes":["messages"],"rates":[{"name":"minute","count":60,"per_ms":60000}]}"#;

fn policy(text: &str) -> KeyPolicy {
    serde_json::from_str(text).unwrap()
}

async fn issues(operator: &Operator, account: AccountId, expires_at: Option<TimeMs>) -> (ApiKey, KeyId) {
    let new =
        NewKey { name: "ci".to_owned(), mode: KeyMode::Live, expires_at, policy: policy(POLICY), random: [1; 32] };
    operator.db.ledger.issue_key(account, &new, &by(NOON)).await.unwrap()
}

async fn image(operator: &Operator, key: &ApiKey) -> KeyImage {
    operator.db.ledger.key_images(&[key.digest()]).await.unwrap().remove(0)
}

fn rotation(grace_ms: u64) -> Rotation {
    Rotation { grace_ms, expires_at: None, random: [2; 32] }
}

#[tokio::test]
async fn a_key_is_held_to_the_policy_it_was_given_last_and_the_audit_knows_both() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (api_key, key) = issues(&operator, account, None).await;
    assert_eq!(image(&operator, &api_key).await.policy, policy(POLICY));
    operator.db.ledger.set_key_policy(key, &KeyPolicy::default(), &by(NOON)).await.unwrap();
    assert_eq!(image(&operator, &api_key).await.policy, KeyPolicy::default());
    assert_eq!(operator.db.ledger.list_keys(account).await.unwrap()[0].policy, KeyPolicy::default());
    let told = "SELECT count(*) FROM outbox WHERE kind = 'key_written'";
    assert_eq!(operator.db.number(told).await, 2, "issued, held to a policy");
    let audited = "SELECT count(*) FROM audit WHERE action = 'key_policy_set' AND before->'scopes' = '[\"messages\"]' AND after = '{}'";
    assert_eq!(operator.db.number(audited).await, 1);
}

#[tokio::test]
async fn a_rotated_key_hands_its_name_policy_and_rates_on_and_ends_with_the_grace() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (old, old_key) = issues(&operator, account, None).await;
    let (new, new_key, ends_at) =
        operator.db.ledger.rotate_key(old_key, &rotation(DAY), &by(NOON.plus_ms(5))).await.unwrap();
    assert_eq!(ends_at, NOON.plus_ms(5 + DAY));
    let (was, is) = (image(&operator, &old).await, image(&operator, &new).await);
    assert_eq!((was.expires_at, was.rates_of), (Some(ends_at), old_key));
    assert_eq!((is.key, is.account, is.expires_at, is.rates_of), (new_key, account, None, old_key));
    assert_eq!(is.policy, policy(POLICY));
    let listed = operator.db.ledger.list_keys(account).await.unwrap();
    assert_eq!((listed[0].rotated_to, listed[1].rotated_to, listed[1].name.as_str()), (Some(new_key), None, "ci"));
    let again = operator.db.ledger.rotate_key(old_key, &rotation(DAY), &by(NOON.plus_ms(6))).await;
    assert_eq!(again.unwrap_err().code(), "invalid", "one key replaces another");
    let third = Rotation { random: [3; 32], ..rotation(0) };
    let (third, _, ends_at) = operator.db.ledger.rotate_key(new_key, &third, &by(NOON.plus_ms(7))).await.unwrap();
    assert_eq!(
        (ends_at, image(&operator, &third).await.rates_of),
        (NOON.plus_ms(7), old_key),
        "no grace, the first key's rates"
    );
}

#[tokio::test]
async fn a_grace_never_makes_a_key_live_longer_and_a_dead_key_is_not_rotated() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (_, key) = issues(&operator, account, Some(NOON.plus_ms(100))).await;
    let late = operator.db.ledger.rotate_key(key, &rotation(DAY), &by(NOON.plus_ms(100))).await;
    assert_eq!(late.unwrap_err().code(), "invalid", "it has expired");
    let (_, _, ends_at) = operator.db.ledger.rotate_key(key, &rotation(DAY), &by(NOON.plus_ms(99))).await.unwrap();
    assert_eq!(ends_at, NOON.plus_ms(100));
    let new = NewKey {
        name: "b".to_owned(),
        mode: KeyMode::Test,
        expires_at: None,
        policy: KeyPolicy::default(),
        random: [9; 32],
    };
    let (_, revoked) = operator.db.ledger.issue_key(account, &new, &by(NOON)).await.unwrap();
    operator.db.ledger.revoke_key(revoked, &by(NOON)).await.unwrap();
    for refused in [
        operator.db.ledger.rotate_key(revoked, &rotation(0), &by(NOON)).await.map(drop),
        operator.db.ledger.set_key_policy(revoked, &KeyPolicy::default(), &by(NOON)).await,
    ] {
        assert_eq!(refused.unwrap_err().code(), "invalid");
    }
    let unknown = KeyId::from_uuid(Uuid::nil());
    assert_eq!(
        operator.db.ledger.rotate_key(unknown, &rotation(0), &by(NOON)).await.unwrap_err().code(),
        "key_not_found"
    );
}

#[tokio::test]
async fn the_book_knows_to_the_minute_when_a_key_last_drew() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let (_, key) = issues(&operator, account, None).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    let last_used = async || operator.db.ledger.list_keys(account).await.unwrap()[0].last_used_at;
    assert_eq!(last_used().await, None);
    for (number, at, known) in [(1, 0, 0), (2, 60_000, 0), (3, 60_001, 60_001), (4, 30_000, 60_001)] {
        stream.at = NOON.plus_ms(at);
        stream.debits_by(account, Some(key), op(number), &[(lot, 1)]);
        stream.drains(&operator.db).await;
        assert_eq!(last_used().await, Some(NOON.plus_ms(known)), "{number}");
    }
}
