//! Recomputing accounts: each kind of difference is found and named.

use ledger::Difference;
use metering::{AccountId, Status};

use crate::actors::{Operator, Stream, op, shard_of};

async fn kinds_after(statement: &str) -> Vec<String> {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.drains(&operator.db).await;
    operator.finds_no_difference(&[account]).await;
    operator.db.execute(statement).await.unwrap();
    found(&operator, account).await
}

async fn found(operator: &Operator, account: AccountId) -> Vec<String> {
    let differences = operator.db.ledger.recompute(&[account]).await.unwrap();
    assert!(differences.iter().all(|difference| difference.to_string().starts_with(&account.to_string())));
    let kind = |difference: &Difference| serde_json::to_value(difference).unwrap()["kind"].as_str().unwrap().to_owned();
    differences.iter().map(kind).collect()
}

#[tokio::test]
async fn a_lot_that_is_not_the_sum_of_its_entries_is_found() {
    assert_eq!(kinds_after("UPDATE lots SET remaining = remaining + 1").await, ["lot"]);
    assert_eq!(kinds_after("UPDATE lots SET swept_at = now()").await, ["swept_lot"]);
}

#[tokio::test]
async fn an_entry_on_a_lot_that_is_not_there_is_found() {
    let entry = "INSERT INTO entries (account_id, shard, kind, credits, lot_ids, lot_credits, occurred_at) \
                 SELECT account_id, shard, 'grant', 5, '{99}', '{5}', '2026-01-15' FROM accounts";
    assert_eq!(kinds_after(entry).await, ["stray_lot"]);
}

#[tokio::test]
async fn a_budget_a_missing_event_and_an_overdraft_are_found() {
    assert_eq!(kinds_after("UPDATE accounts SET budget_used = 5").await, ["budget"]);
    assert_eq!(kinds_after("UPDATE accounts SET seq = seq + 1").await, ["seq"]);
    assert_eq!(kinds_after("UPDATE outbox SET delivered_seq = NULL WHERE row_id = 1").await, ["seq"]);
    assert_eq!(kinds_after("UPDATE accounts SET overdraft = 1").await, ["overdraft"]);
}

#[tokio::test]
async fn a_row_that_is_not_what_its_last_change_said_is_found() {
    assert_eq!(kinds_after("UPDATE lots SET expires_at = expires_at + interval '1 day'").await, ["row"]);
    assert_eq!(kinds_after("UPDATE lots SET granted_at = granted_at - interval '1 day'").await, ["row"]);
    assert_eq!(kinds_after("UPDATE lots SET original = original + 1").await, ["row"]);
    assert_eq!(kinds_after("UPDATE accounts SET status = 'trial'").await, ["row"]);
    assert_eq!(kinds_after("UPDATE accounts SET budget_limit = 9").await, ["row"]);
}

#[tokio::test]
async fn changes_of_rows_by_those_who_may_are_no_difference() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Trial).await;
    let lot = operator.grants(account, 100, 30).await;
    let (book, by) = (&operator.db.ledger, crate::actors::by(crate::actors::NOON));
    book.set_status(account, Status::Active, &by).await.unwrap();
    book.set_budget(account, crate::actors::credits(40), &by).await.unwrap();
    book.set_budget(account, crate::actors::credits(0), &by).await.unwrap();
    book.move_lot_expiry(lot, metering::TimeMs::EPOCH, &by).await.unwrap();
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn the_whole_book_is_gone_through_page_by_page() {
    let operator = Operator::arrives().await;
    for _ in 0..5 {
        operator.account(Status::Trial).await;
    }
    let (mut seen, mut after) = (0, None);
    loop {
        let page = operator.db.ledger.accounts_after(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(*last);
        seen += page.len();
        operator.finds_no_difference(&page).await;
    }
    assert_eq!(seen, 5);
}
