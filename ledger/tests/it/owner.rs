//! Ownership: one owner a shard, and every commit under a fence that has moved on fails.

use std::time::Duration;

use ledger::{LedgerError, OwnerId, ShardState};
use metering::{Shard, ShardKind};
use serde_json::json;
use uuid::Uuid;

use crate::actors::{DAY, NOON, Operator, Stream, op};

const LEASE: Duration = Duration::from_mins(1);
const SHARD: Shard = Shard { kind: ShardKind::Accounts, number: 2 };

fn somebody() -> OwnerId {
    OwnerId::from_uuid(Uuid::now_v7())
}

fn is_fenced<T>(answer: Result<T, LedgerError>) -> bool {
    answer.is_err_and(|refused| matches!(refused, LedgerError::Fenced { shard: SHARD }))
}

#[tokio::test]
async fn a_shard_has_one_owner_until_the_lease_runs_out() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    let (one, two) = (somebody(), somebody());
    ledger.heartbeat(one, "one", LEASE).await.unwrap();
    let fleet = ledger.heartbeat(two, "two", LEASE).await.unwrap();
    assert_eq!((fleet.live_owners.len(), fleet.shards.len()), (2, 8));
    let row = ledger.claim(one, SHARD, LEASE).await.unwrap().unwrap();
    assert_eq!((row.epoch, row.owner, row.owner_name.as_deref(), row.leased), (1, Some(one), Some("one"), true));
    assert_eq!(row.state, ShardState::New);
    assert_eq!(ledger.claim(two, SHARD, LEASE).await.unwrap(), None);

    ledger.heartbeat(one, "one", Duration::ZERO).await.unwrap();
    let fleet = ledger.heartbeat(two, "two", LEASE).await.unwrap();
    assert_eq!(fleet.live_owners.iter().map(|owner| owner.owner).collect::<Vec<_>>(), [two]);
    let row = ledger.claim(two, SHARD, LEASE).await.unwrap().unwrap();
    assert_eq!((row.epoch, row.owner), (2, Some(two)));
    assert!(is_fenced(ledger.release(one, SHARD, 1).await));
    ledger.release(two, SHARD, 2).await.unwrap();
    assert_eq!(ledger.claim(one, SHARD, LEASE).await.unwrap().unwrap().epoch, 3);
}

#[tokio::test]
async fn a_heartbeat_extends_the_leases_of_owned_shards_only() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    let (one, two) = (somebody(), somebody());
    ledger.claim(one, SHARD, Duration::ZERO).await.unwrap().unwrap();
    let other = Shard { number: 3, ..SHARD };
    ledger.claim(two, other, Duration::ZERO).await.unwrap().unwrap();
    ledger.heartbeat(one, "one", LEASE).await.unwrap();
    assert!(ledger.shard(SHARD).await.unwrap().leased);
    assert!(!ledger.shard(other).await.unwrap().leased);
}

#[tokio::test]
async fn certification_numbers_are_never_given_twice_and_jump_over_what_redis_knows() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    let owner = somebody();
    let row = ledger.claim(owner, SHARD, LEASE).await.unwrap().unwrap();
    let first = ledger.raise_fence(SHARD, row.epoch, 0).await.unwrap();
    let jumped = ledger.raise_fence(SHARD, row.epoch, 1_000).await.unwrap();
    let after = ledger.raise_fence(SHARD, row.epoch, 5).await.unwrap();
    assert!(first > 0 && jumped > 1_000 && after > jumped, "{first} {jumped} {after}");
    assert_eq!(ledger.shard(SHARD).await.unwrap().certification, after);
    assert!(is_fenced(ledger.raise_fence(SHARD, row.epoch + 1, 0).await));
    ledger.release(owner, SHARD, row.epoch).await.unwrap();
    assert!(is_fenced(ledger.raise_fence(SHARD, row.epoch, 0).await), "a shard without an owner certifies nothing");
}

#[tokio::test]
async fn an_incarnation_begins_before_its_first_event_and_leaves_an_incident() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    let mut stream = Stream::opens(&operator.db, SHARD).await;
    stream.drains(&operator.db).await;
    assert_eq!(ledger.shard(SHARD).await.unwrap().applied_sequence, Some(0));
    ledger.set_state(stream.fence, ShardState::Open).await.unwrap();
    let next = ledger.start_incarnation(stream.fence, 40, &json!({ "why": "redis knows 40" })).await.unwrap();
    assert_eq!(next, 41);
    let row = ledger.shard(SHARD).await.unwrap();
    assert_eq!((row.incarnation, row.applied_sequence, row.state), (41, None, ShardState::Installing));
    assert_eq!(operator.db.number("SELECT count(*) FROM incidents WHERE kind = 'rebuild' AND shard = 2").await, 2);
    assert!(is_fenced(ledger.start_incarnation(stream.fence, 0, &json!({})).await), "the old incarnation is over");
}

#[tokio::test]
async fn every_commit_under_an_older_fence_fails_and_writes_nothing() {
    let operator = Operator::arrives().await;
    let account = operator.account_in(SHARD).await;
    let lot = operator.grants(account, 10, 30).await;
    let mut stream = Stream::opens(&operator.db, SHARD).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.is_asked_to_undo(account, op(2), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    stream.debits(account, op(1), &[(lot, 4)]);
    let (good, later) = (stream.fence, NOON.plus_ms(31 * DAY)); // when there are a lot and an undo to do something about
    for stale in 0..3 {
        let mut fence = good;
        match stale {
            0 => fence.epoch -= 1,
            1 => fence.certification -= 1,
            _ => fence.incarnation -= 1,
        }
        let ledger = &operator.db.ledger;
        let mut batch = stream.batch();
        batch.fence = fence;
        for event in &mut batch.events {
            event.id.incarnation = fence.incarnation;
        }
        assert!(is_fenced(ledger.record(&batch).await), "{stale}");
        assert!(is_fenced(ledger.set_state(fence, ShardState::Open).await), "{stale}");
        assert!(is_fenced(ledger.start_incarnation(fence, 0, &json!({})).await), "{stale}");
        assert!(is_fenced(ledger.prepare_install(fence, None, 10, &[], NOON).await), "{stale}");
        assert!(is_fenced(ledger.prepare_install_one(fence, account, NOON).await), "{stale}");
        assert!(is_fenced(ledger.expire_due(fence, later, 0, 10).await), "{stale}");
        assert!(is_fenced(ledger.settle_undos(fence, later).await), "{stale}");
    }
    assert_eq!(operator.remaining(lot).await, 10);
    operator.db.ledger.raise_fence(SHARD, good.epoch, 0).await.unwrap();
    assert!(
        is_fenced(stream.tries_to_drain(&operator.db).await),
        "a drain that was on its way while Redis was certified anew"
    );
}

#[tokio::test]
async fn what_an_operator_should_know_is_written_down() {
    let operator = Operator::arrives().await;
    operator.db.ledger.report_incident(SHARD, "clock_skew", &json!({ "ms": 2_500 })).await.unwrap();
    assert_eq!(operator.db.text("SELECT detail ->> 'ms' FROM incidents WHERE kind = 'clock_skew'").await, "2500");
    let absent = Shard { number: 4, ..SHARD };
    assert_eq!(operator.db.ledger.shard(absent).await.unwrap_err().code(), "shard_not_found");
}

#[tokio::test]
async fn a_book_that_was_put_back_gives_no_epoch_out_twice() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    let owner = somebody();
    ledger.heartbeat(owner, "one", LEASE).await.unwrap();
    let claimed = ledger.claim(owner, SHARD, LEASE).await.unwrap().unwrap();
    ledger.release_above(owner, SHARD, claimed.epoch, 7).await.unwrap();
    assert_eq!(ledger.claim(owner, SHARD, LEASE).await.unwrap().unwrap().epoch, 8);
    assert_eq!(
        operator.db.text("SELECT detail ->> 'redis_epoch' FROM incidents WHERE kind = 'book_put_back'").await,
        "7"
    );
    assert!(is_fenced(ledger.release_above(owner, SHARD, claimed.epoch, 9).await), "it is another claim's by now");
    let again = ledger.claim(owner, SHARD, LEASE).await.unwrap().unwrap();
    assert_eq!(again.epoch, 9, "the book takes it for ours, and nobody of us serves it: it is claimed anew");
    let epoch = ledger.shard(SHARD).await.unwrap().epoch;
    ledger.release_above(owner, SHARD, epoch, 3).await.unwrap();
    assert_eq!(ledger.claim(owner, SHARD, LEASE).await.unwrap().unwrap().epoch, 10, "never lower");
}
