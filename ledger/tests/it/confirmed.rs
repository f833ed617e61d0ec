//! Changes that operators confirm: done from what they have seen, or not at all; and what waits for them is counted.

use ledger::{ATTENTION_MAX, Attention, LedgerError};
use metering::{Status, TimeMs};
use serde_json::json;

use crate::actors::{DAY, NOON, Operator, by, credits, shard_of};

fn is_changed<T: std::fmt::Debug>(refused: &Result<T, LedgerError>, wanted: &str) {
    assert!(matches!(refused, Err(LedgerError::Changed { what, .. }) if *what == wanted), "{refused:?}");
}

#[tokio::test]
async fn a_change_is_made_only_from_what_was_seen() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 10, 30).await;
    let ledger = &operator.db.ledger;
    let (seen, then) = (operator.sees(account).await.lots[0].expires_at, NOON.plus_ms(DAY));
    let rows = async || operator.db.number("SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM outbox)").await;
    let before = rows().await;
    is_changed(&ledger.move_lot_expiry_from(lot, Some(seen.plus_ms(1)), then, &by(NOON)).await, "lot");
    is_changed(&ledger.reduce_lot_in_full(lot, credits(11), &by(NOON)).await, "lot");
    is_changed(&ledger.set_status_from(account, Some(Status::Trial), Status::Suspended, &by(NOON)).await, "status");
    assert_eq!(rows().await, before, "nothing was written");
    ledger.move_lot_expiry_from(lot, Some(seen), then, &by(NOON)).await.unwrap();
    ledger.reduce_lot_in_full(lot, credits(10), &by(NOON)).await.unwrap();
    ledger.set_status_from(account, Some(Status::Active), Status::Suspended, &by(NOON)).await.unwrap();
    assert_eq!(rows().await, before + 6, "each once in the audit and once on its way");
    assert_eq!(operator.sees(account).await.status, Status::Suspended);
}

#[tokio::test]
async fn what_waits_is_counted_and_what_is_old_or_no_trouble_is_not() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let ledger = &operator.db.ledger;
    assert_eq!(ledger.attention(TimeMs::EPOCH).await.unwrap(), Attention::default());
    let shard = shard_of(account);
    ledger.report_incident(shard, "rebuild", &json!({ "replaced": 0 })).await.unwrap();
    ledger.report_incident(shard, "rebuild", &json!({ "replaced": 1 })).await.unwrap();
    ledger.report_incident(shard, "clock_skew", &json!({ "ms": 9 })).await.unwrap();
    let uuid = account.as_uuid();
    let mails = format!(
        "INSERT INTO mails (account_id, kind, detail, dedupe_key, queued_at, state) \
         SELECT '{uuid}', 'low_balance', '{{}}', 'story:' || number, clock_timestamp(), \
         CASE WHEN number <= 1100 THEN 'failed' WHEN number = 1101 THEN 'bounced' ELSE 'unknown' END \
         FROM generate_series(1, 1103) AS number"
    );
    operator.db.execute(&mails).await.unwrap();
    let letters = format!(
        "INSERT INTO dead_letters (shard, incarnation, sequence, bytes, reason) \
         SELECT {}, 1, number, '', 'odd' FROM generate_series(1, 7) AS number",
        shard.number
    );
    operator.db.execute(&letters).await.unwrap();
    let wanted = Attention {
        dead_letters: 7,
        mails_failed: ATTENTION_MAX,
        mails_bounced: 1,
        mails_unknown: 2,
        incidents: 2,
        ..Attention::default()
    };
    assert_eq!(ledger.attention(TimeMs::EPOCH).await.unwrap(), wanted);
    let later = ledger.book_now().await.unwrap().plus_ms(60_000);
    assert_eq!(
        ledger.attention(later).await.unwrap(),
        Attention { dead_letters: 7, ..Attention::default() },
        "letters wait however old they are"
    );
}
