//! The outbox: rows in order, and word to whoever listens.

use std::time::Duration;

use metering::Status;

use crate::actors::{NOON, Operator, Stream, by, shard_of};

#[tokio::test]
async fn whoever_listens_hears_of_the_shard() {
    let operator = Operator::arrives().await;
    let mut watch = operator.db.ledger.watch_outbox().await.unwrap();
    let account = operator.account(Status::Active).await;
    let heard = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.expect("word comes at once").unwrap();
    assert_eq!(heard, Some(shard_of(account)));
}

#[tokio::test]
async fn rows_come_page_by_page_and_go_when_their_event_is_drained() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    for limit in 1..5 {
        operator.db.ledger.set_budget(account, crate::actors::credits(limit), &by(NOON)).await.unwrap();
    }
    let shard = shard_of(account);
    let first = operator.db.ledger.pending(shard, 0, 3).await.unwrap();
    let rest = operator.db.ledger.pending(shard, first[2].row, 3).await.unwrap();
    assert_eq!((first.len(), rest.len()), (3, 2));
    assert_eq!(operator.db.ledger.backlog(shard).await.unwrap().0, 5);

    let mut stream = Stream::opens(&operator.db, shard).await;
    for row in &first {
        stream.applies(row, vec![], vec![], vec![]);
    }
    assert_eq!(operator.db.ledger.pending(shard, 0, 9).await.unwrap().len(), 5, "applied is not yet delivered");
    stream.drains(&operator.db).await;
    assert_eq!(operator.db.ledger.pending(shard, 0, 9).await.unwrap(), rest);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_change_lost_with_the_tail_of_redis_is_still_on_its_way() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    operator.grants(account, 10, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.begins_anew(&operator.db).await;
    stream.drains(&operator.db).await;
    assert_eq!(operator.db.ledger.pending(stream.fence.shard, 0, 9).await.unwrap().len(), 2);
}
