//! Keys: the book keeps a digest; their entries are written again whenever something about them changes.

use ledger::{NewKey, OutboxRow, Outgoing};
use metering::{AccountId, ApiKey, Change, KeyDigest, KeyId, KeyMode, KeyState, ShardCount, Status, TimeMs};
use uuid::Uuid;

use crate::actors::{DAY, NOON, Operator, Stream, by, shard_of};

async fn issues(operator: &Operator, account: AccountId, seed: u8, expires_at: Option<TimeMs>) -> (ApiKey, KeyId) {
    let new = NewKey {
        name: "ci".to_owned(),
        mode: KeyMode::Live,
        expires_at,
        policy: metering::KeyPolicy::default(),
        random: [seed; 32],
    };
    operator.db.ledger.issue_key(account, &new, &by(NOON)).await.unwrap()
}

async fn pending_of(operator: &Operator, digest: KeyDigest) -> Vec<OutboxRow> {
    let shard = digest.shard(ShardCount::new(4).unwrap());
    let rows = operator.db.ledger.pending(shard, 0, 100).await.unwrap();
    rows.into_iter().filter(|row| row.what == Outgoing::Key { digest }).collect()
}

#[tokio::test]
async fn an_issued_key_is_nowhere_in_the_book() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (api_key, key) = issues(&operator, account, 7, None).await;
    assert_eq!(ApiKey::parse(api_key.reveal()).unwrap(), api_key);
    for table in ["api_keys", "outbox", "audit"] {
        let sql = format!("SELECT count(*) FROM {table} AS row WHERE row::text LIKE '%{}%'", &api_key.reveal()[12..]);
        assert_eq!(operator.db.number(&sql).await, 0, "{table}");
    }
    let image = &operator.db.ledger.key_images(&[api_key.digest()]).await.unwrap()[0];
    assert_eq!(
        (image.key, image.account, image.state, image.account_status),
        (key, account, KeyState::Active, Status::Active)
    );
    assert_eq!(pending_of(&operator, api_key.digest()).await.len(), 1);
    let listed = operator.db.ledger.list_keys(account).await.unwrap();
    assert_eq!((listed.len(), listed[0].prefix.as_str()), (1, api_key.display_prefix()));
}

#[tokio::test]
async fn a_revoked_key_is_told_to_both_shards_once() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (api_key, key) = issues(&operator, account, 7, None).await;
    let revoked_at = operator.db.ledger.revoke_key(key, &by(NOON.plus_ms(5))).await.unwrap();
    assert_eq!(
        operator.db.ledger.revoke_key(key, &by(NOON.plus_ms(9))).await.unwrap(),
        revoked_at,
        "again changes nothing"
    );
    assert_eq!(pending_of(&operator, api_key.digest()).await.len(), 2);
    let rows = operator.db.ledger.pending(shard_of(account), 0, 100).await.unwrap();
    let told = rows
        .iter()
        .filter(|row| matches!(&row.what, Outgoing::Change { change: Change::KeyRevoked { key: k }, .. } if *k == key));
    assert_eq!(told.count(), 1);
    assert_eq!(operator.db.ledger.key_images(&[api_key.digest()]).await.unwrap()[0].state, KeyState::Revoked);
    let unknown = KeyId::from_uuid(Uuid::nil());
    assert_eq!(operator.db.ledger.revoke_key(unknown, &by(NOON)).await.unwrap_err().code(), "key_not_found");
}

#[tokio::test]
async fn a_status_is_told_to_each_key_that_may_still_be_used() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (live, _) = issues(&operator, account, 1, None).await;
    let (revoked, key) = issues(&operator, account, 2, None).await;
    let (expired, _) = issues(&operator, account, 3, Some(NOON.plus_ms(10))).await;
    operator.db.ledger.revoke_key(key, &by(NOON)).await.unwrap();
    operator.db.ledger.set_status(account, Status::Suspended, &by(NOON.plus_ms(DAY))).await.unwrap();
    assert_eq!(pending_of(&operator, live.digest()).await.len(), 2, "issued, status");
    assert_eq!(pending_of(&operator, revoked.digest()).await.len(), 2, "issued, revoked");
    assert_eq!(pending_of(&operator, expired.digest()).await.len(), 1, "issued");
    assert_eq!(operator.db.ledger.key_images(&[live.digest()]).await.unwrap()[0].account_status, Status::Suspended);
}

#[tokio::test]
async fn a_key_that_expires_in_the_past_or_of_nobody_is_refused() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let new = NewKey {
        name: "ci".to_owned(),
        mode: KeyMode::Test,
        expires_at: Some(NOON),
        policy: metering::KeyPolicy::default(),
        random: [1; 32],
    };
    assert_eq!(operator.db.ledger.issue_key(account, &new, &by(NOON)).await.unwrap_err().code(), "invalid");
    let nobody = AccountId::from_uuid(Uuid::nil());
    let new = NewKey { expires_at: None, ..new };
    assert_eq!(operator.db.ledger.issue_key(nobody, &new, &by(NOON)).await.unwrap_err().code(), "account_not_found");
    assert_eq!(operator.db.ledger.list_keys(nobody).await.unwrap_err().code(), "account_not_found");
}

#[tokio::test]
async fn a_key_shard_is_read_page_by_page_and_only_rows_that_were_carried_are_marked() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let mut digests = Vec::new();
    for seed in 0..20 {
        digests.push(issues(&operator, account, seed, None).await.0.digest());
    }
    let shard = digests[0].shard(ShardCount::new(4).unwrap());
    let stream = Stream::opens(&operator.db, shard).await;
    let carried = operator.db.ledger.pending(shard, 0, 100).await.unwrap();

    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = operator.db.ledger.key_install(stream.fence, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.digest);
        paged.extend(page.into_iter().map(|image| image.digest));
    }
    let mut expected: Vec<_> =
        digests.iter().copied().filter(|d| d.shard(ShardCount::new(4).unwrap()) == shard).collect();
    expected.sort();
    assert_eq!(paged, expected);

    operator.db.ledger.set_status(account, Status::Suspended, &by(NOON)).await.unwrap();
    let rows: Vec<u64> = carried.iter().map(|row| row.row).collect();
    operator.db.ledger.deliver_keys(stream.fence, &rows, 7).await.unwrap();
    let left = operator.db.ledger.pending(shard, 0, 100).await.unwrap();
    assert_eq!(left.len(), expected.len(), "the status came after the pages were read");
    assert_eq!(operator.db.ledger.shard(shard).await.unwrap().applied_sequence, Some(7));

    let mut stale = stream.fence;
    stale.epoch += 1;
    assert_eq!(operator.db.ledger.deliver_keys(stale, &rows, 8).await.unwrap_err().code(), "fenced");
}
