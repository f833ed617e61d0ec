//! The sweep: what is left of lots past their expiry is taken out, once.

use metering::{LotId, Shard, Status};

use crate::actors::{DAY, NOON, Operator, Stream, by, op, period_end, shard_of};

const GRACE_MS: u64 = 60_000;

/// An account with a lot of 10 that ends in a day and one of 20 that ends in a month.
async fn two_lots() -> (Operator, metering::AccountId, LotId, LotId, Stream) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (short, long) = (operator.grants(account, 10, 1).await, operator.grants(account, 20, 30).await);
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (operator, account, short, long, stream)
}

#[tokio::test]
async fn a_lot_is_swept_after_its_grace_and_the_book_follows_the_event() {
    let (operator, account, short, long, mut stream) = two_lots().await;
    let ledger = &operator.db.ledger;
    let expiry = NOON.plus_ms(DAY);
    assert_eq!(ledger.expire_due(stream.fence, expiry.plus_ms(GRACE_MS - 1), GRACE_MS, 10).await.unwrap(), 0);
    assert_eq!(ledger.expire_due(stream.fence, expiry.plus_ms(GRACE_MS), GRACE_MS, 10).await.unwrap(), 1);
    assert_eq!(ledger.expire_due(stream.fence, expiry.plus_ms(GRACE_MS), GRACE_MS, 10).await.unwrap(), 0, "told once");
    assert_eq!(operator.remaining(short).await, 10);
    assert_eq!(ledger.move_lot_expiry(short, NOON.plus_ms(9 * DAY), &by(NOON)).await.unwrap_err().code(), "lot_swept");

    stream.at = expiry.plus_ms(GRACE_MS);
    stream.applies_pending(&operator.db, &[(short, 10)]).await;
    stream.drains(&operator.db).await;
    assert_eq!((operator.remaining(short).await, operator.remaining(long).await), (0, 20));
    assert_eq!(operator.entry_kinds(account).await, ["grant", "grant", "expire"]);
    assert_eq!(operator.db.number("SELECT count(*) FROM lots WHERE swept_at IS NOT NULL").await, 1);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn an_empty_lot_is_only_marked_and_swept_again_if_something_comes_back() {
    let (operator, account, short, _, mut stream) = two_lots().await;
    stream.debits(account, op(1), &[(short, 10)]);
    stream.drains(&operator.db).await;
    stream.at = NOON.plus_ms(DAY - 1);
    stream.gives_back(account, op(1), &[(short, 10)], &[], period_end(NOON)); // in time, but not drained before the sweep
    let late = NOON.plus_ms(2 * DAY);
    assert_eq!(operator.db.ledger.expire_due(stream.fence, late, GRACE_MS, 10).await.unwrap(), 1);
    assert!(operator.db.ledger.pending(stream.fence.shard, 0, 10).await.unwrap().is_empty());
    stream.drains(&operator.db).await;
    assert_eq!(operator.db.ledger.expire_due(stream.fence, late, GRACE_MS, 10).await.unwrap(), 1);
    stream.applies_pending(&operator.db, &[(short, 10)]).await;
    stream.drains(&operator.db).await;
    assert_eq!(operator.remaining(short).await, 0);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_sweep_takes_a_page_at_a_time_of_its_own_shard_only() {
    let operator = Operator::arrives().await;
    let shard = Shard { kind: metering::ShardKind::Accounts, number: 1 };
    let other = Shard { number: 2, ..shard };
    for _ in 0..3 {
        let account = operator.account_in(shard).await;
        operator.grants(account, 1, 1).await;
    }
    let elsewhere = operator.account_in(other).await;
    operator.grants(elsewhere, 1, 1).await;
    let stream = Stream::opens(&operator.db, shard).await;
    let late = NOON.plus_ms(9 * DAY);
    for expected in [2, 1, 0] {
        assert_eq!(operator.db.ledger.expire_due(stream.fence, late, GRACE_MS, 2).await.unwrap(), expected);
    }
    assert_eq!(operator.db.number("SELECT count(*) FROM outbox WHERE kind = 'lot_expired' AND shard = 1").await, 3);
    assert_eq!(operator.db.number("SELECT count(*) FROM outbox WHERE kind = 'lot_expired'").await, 3);
}
