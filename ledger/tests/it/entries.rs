//! Entries: append-only, and read page by page.

use metering::Status;

use crate::actors::{NOON, Operator, Stream, op, settled, shard_of};

#[tokio::test]
async fn entries_and_audit_can_not_be_changed_deleted_or_emptied() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    operator.grants(account, 10, 30).await;
    for statement in [
        "UPDATE entries SET credits = 1",
        "DELETE FROM entries",
        "TRUNCATE entries",
        "DELETE FROM entries_2026_01",
        "TRUNCATE entries_2026_01",
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "TRUNCATE audit",
    ] {
        let refused = operator.db.execute(statement).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{statement}: {refused}");
    }
    assert_eq!(operator.entry_kinds(account).await, ["grant"]);
}

#[tokio::test]
async fn an_event_has_one_entry_even_if_the_cursor_were_wrong() {
    let (operator, account, lot, mut stream) = settled(10, 30).await;
    let before = stream.from;
    stream.debits(account, op(1), &[(lot, 1)]);
    let batch = stream.batch();
    stream.drains(&operator.db).await;
    let back = format!("UPDATE shards SET applied_sequence = {} WHERE owner IS NOT NULL", before.unwrap());
    operator.db.execute(&back).await.unwrap();
    operator.db.execute("UPDATE accounts SET seq = seq - 1").await.unwrap();
    assert_eq!(operator.db.ledger.record(&batch).await.unwrap_err().code(), "book_refused");
    assert_eq!(operator.remaining(lot).await, 9);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_although_many_share_a_millisecond() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    for number in 0..10 {
        stream.at = NOON.plus_ms(u64::try_from(number).unwrap() / 4);
        stream.debits(account, op(number), &[(lot, 1)]);
    }
    stream.drains(&operator.db).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = operator.db.ledger.entries(account, after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        seen.extend(page.iter().map(|entry| entry.entry));
    }
    let whole: Vec<u64> =
        operator.db.ledger.entries(account, None, 100).await.unwrap().iter().map(|entry| entry.entry).collect();
    assert_eq!((seen.len(), seen), (11, whole));
}
