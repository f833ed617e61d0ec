//! What keys draw, by day: it follows the events, an install brings it, and a difference is found.

use ledger::{Comparison, Difference, Drift, NewKey, Rotation, compare};
use metering::{
    AccountId, Body, Change, ControlKind, KeyCap, KeyCaps, KeyCount, KeyId, KeyMode, KeyPolicy, LotId, OpId, Split,
    Status, lots,
};
use uuid::Uuid;

use crate::actors::{DAY, NOON, Operator, Stream, by, credits, op, period_end, shard_of};
use crate::compare::nothing_drawn;

fn caps(day: u64) -> KeyCaps {
    KeyCaps { day: Some(credits(day)), month: None }
}

fn capped(day: u64) -> KeyPolicy {
    KeyPolicy::default().with_caps(caps(day)).unwrap()
}

async fn issue(operator: &Operator, account: AccountId, policy: KeyPolicy) -> KeyId {
    let new = NewKey { name: "ci".to_owned(), mode: KeyMode::Live, expires_at: None, policy, random: [7; 32] };
    operator.db.ledger.issue_key(account, &new, &by(NOON)).await.unwrap().1
}

async fn rotate(operator: &Operator, key: KeyId) -> KeyId {
    let mut random = [8; 32];
    random[..16].copy_from_slice(key.as_uuid().as_bytes());
    let rotation = Rotation { grace_ms: DAY, expires_at: None, random };
    operator.db.ledger.rotate_key(key, &rotation, &by(NOON)).await.unwrap().1
}

async fn pending(operator: &Operator, account: AccountId) -> Vec<Change> {
    let rows = operator.db.ledger.pending(shard_of(account), 0, 1_000).await.unwrap();
    let change = |row: ledger::OutboxRow| match row.what {
        ledger::Outgoing::Change { change, .. } => Some(change),
        ledger::Outgoing::Key { .. } => None,
    };
    rows.into_iter().filter_map(change).collect()
}

/// An account with a lot, and a stream that has drained what there is.
async fn account_with_credits(operator: &Operator) -> (AccountId, LotId, Stream) {
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (account, lot, stream)
}

impl Stream {
    /// A debit of `key` comes back, or with `kept` its hold is settled.
    fn closes(&mut self, account: AccountId, key: KeyId, debit: u128, returned: Split, kept: Option<u64>) {
        let seq = self.next_seq(account);
        self.push(Body::GiveBack {
            account,
            seq,
            op: OpId::from_uuid(Uuid::now_v7()),
            debit_op: op(debit),
            returned,
            lapsed: Split::new(),
            kept: kept.map(credits),
            period_end: period_end(NOON),
            remaining_after: credits(0),
            budget_used_after: credits(0),
            key: Some(key),
            debited_at: NOON,
        });
    }
}

#[tokio::test]
async fn live_state_is_told_of_caps_when_they_change_and_of_keys_that_count_with_a_capped_one() {
    let operator = Operator::arrives().await;
    let (account, _, _) = account_with_credits(&operator).await;
    let first = issue(&operator, account, capped(5)).await;
    operator.db.ledger.set_key_policy(first, &capped(9), &by(NOON)).await.unwrap();
    operator.db.ledger.set_key_policy(first, &capped(9), &by(NOON)).await.unwrap(); // the same caps again: nothing to tell
    let second = rotate(&operator, first).await;
    operator.db.ledger.set_key_policy(second, &KeyPolicy::default(), &by(NOON)).await.unwrap();
    let third = rotate(&operator, second).await; // without a cap of its own
    let change = |key, caps| Change::KeyCapped { key, caps };
    let nothing = KeyCaps::default();
    assert_eq!(
        pending(&operator, account).await,
        [
            change(first, caps(5)),
            change(first, caps(9)),
            change(second, caps(9)),
            change(second, nothing),
            change(third, nothing),
        ]
    );
}

#[tokio::test]
async fn a_key_that_replaces_a_counted_one_is_counted_with_it() {
    let operator = Operator::arrives().await;
    let (account, lot, mut stream) = account_with_credits(&operator).await;
    let first = issue(&operator, account, capped(50)).await;
    let second = rotate(&operator, first).await;
    operator.db.ledger.set_key_policy(second, &KeyPolicy::default(), &by(NOON)).await.unwrap();
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits_by(account, Some(first), op(1), &[(lot, 3)]);
    stream.debits_by(account, Some(second), op(2), &[(lot, 4)]);
    stream.at = NOON.plus_ms(DAY);
    stream.debits_by(account, Some(second), op(3), &[(lot, 2)]);
    stream.drains(&operator.db).await;
    let image =
        operator.db.ledger.prepare_install_one(stream.fence, account, NOON.plus_ms(DAY)).await.unwrap().unwrap();
    let mut of_both = vec![
        KeyCap { key: first, of: first, caps: caps(50) },
        KeyCap { key: second, of: first, caps: KeyCaps::default() },
    ];
    of_both.sort_by_key(|cap| cap.key);
    let day = NOON.plus_ms(DAY).day();
    let count =
        KeyCount { of: first, day, day_used: credits(2), period_end: period_end(NOON), period_used: credits(9) };
    assert_eq!((image.key_caps, image.key_counts), (of_both, vec![count]));
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn what_comes_back_is_taken_out_of_the_day_of_its_debit() {
    let operator = Operator::arrives().await;
    let (account, lot, mut stream) = account_with_credits(&operator).await;
    let key = issue(&operator, account, capped(50)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits_by(account, Some(key), op(1), &[(lot, 10)]);
    stream.debits_by(account, Some(key), op(2), &[(lot, 10)]);
    stream.debits_by(account, Some(key), op(3), &[(lot, 10)]);
    stream.at = NOON.plus_ms(DAY);
    stream.closes(account, key, 1, lots::read(&format!("{}:10", lot.as_u64())).unwrap(), None);
    stream.closes(account, key, 2, lots::read(&format!("{}:6", lot.as_u64())).unwrap(), Some(4));
    stream.is_asked_to_undo(account, op(3), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    assert_eq!(operator.entry_kinds(account).await.iter().filter(|kind| **kind == "settle").count(), 1);
    stream.applies_pending(&operator.db, &[]).await; // the undo is settled
    stream.drains(&operator.db).await;
    let drawn = operator.db.number("SELECT drawn FROM key_days").await;
    assert_eq!((drawn, operator.remaining(lot).await), (4, 96));
    operator.finds_no_difference(&[account]).await;
    operator.db.execute("UPDATE key_days SET drawn = 5").await.unwrap();
    let found = operator.db.ledger.recompute(&[account]).await.unwrap();
    assert_eq!(found, [Difference::Key { account, key, drawn: 5, entries: 4 }]);
}

#[tokio::test]
async fn live_state_that_counts_otherwise_is_found() {
    let operator = Operator::arrives().await;
    let (account, lot, mut stream) = account_with_credits(&operator).await;
    let key = issue(&operator, account, capped(50)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits_by(account, Some(key), op(1), &[(lot, 10)]);
    stream.drains(&operator.db).await;
    stream.debits_by(account, Some(key), op(2), &[(lot, 5)]); // not in the book yet
    let image =
        metering::LotImage { lot, remaining: credits(85), granted_at: NOON, expires_at: NOON.plus_ms(30 * DAY) };
    let count = |used| KeyCount {
        of: key,
        day: NOON.day(),
        day_used: credits(used),
        period_end: period_end(NOON),
        period_used: credits(used),
    };
    let live = |used| metering::live::Snapshot {
        lots: vec![image],
        cached_total: credits(85),
        budget_used: credits(15),
        budget_period_end: period_end(NOON),
        key_counts: vec![count(used)],
        ..nothing_drawn(account, 5, 3)
    };
    let book = operator.db.ledger.balances(&[account]).await.unwrap().remove(0);
    let compared = |used| compare(&book, Some(&live(used)), &stream.events);
    assert_eq!(compared(15), Comparison::Agrees { unapplied: 1, drawable: credits(85) });
    let Comparison::Differs(drifts) = compared(10) else { panic!("a debit that live state did not count") };
    assert!(matches!(drifts[..], [Drift::Field { field: "key_counts", .. }]), "{drifts:?}");
    assert_eq!(ControlKind::KeyCapped.as_str(), "key_capped");
}
