//! The balance at an earlier instant: half-open like the lots, and by what live state had heard of then.

use ledger::{LotState, Past};
use metering::{AccountId, LotId, Status};

use crate::actors::{DAY, NOON, Operator, Stream, by, credits, op, period_end, settled, shard_of};

async fn states(operator: &Operator, account: AccountId, at: u64) -> (Past, Vec<(LotId, u64, LotState)>) {
    let past = operator.db.ledger.past(account, NOON.plus_ms(at)).await.unwrap();
    let lots = past.lots.iter().map(|lot| (lot.lot, lot.remaining.get(), lot.state)).collect();
    (past, lots)
}

#[tokio::test]
async fn a_balance_is_told_of_every_instant_with_its_lots_budget_and_status() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (short, long) = (operator.grants(account, 10, 1).await, operator.grants(account, 50, 30).await);
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.at = NOON.plus_ms(1_000); // live state hears of the account a second later
    stream.applies_pending(&operator.db, &[]).await;
    stream.at = NOON.plus_ms(2_000);
    stream.debits(account, op(1), &[(short, 4)]);
    stream.at = NOON.plus_ms(3_000);
    stream.gives_back(account, op(1), &[(short, 4)], &[], period_end(NOON));
    stream.drains(&operator.db).await;

    let (nothing, lots) = states(&operator, account, 999).await;
    assert_eq!((nothing.status, nothing.remaining, lots), (None, credits(0), vec![]), "nobody had heard of it");
    let (before, lots) = states(&operator, account, 1_999).await;
    assert_eq!((before.status, before.remaining), (Some(Status::Active), credits(60)));
    assert_eq!(lots, [(short, 10, LotState::Live), (long, 50, LotState::Live)], "earliest expiry first");
    let (drawn, _) = states(&operator, account, 2_000).await;
    assert_eq!((drawn.remaining, drawn.budget.used), (credits(56), credits(4)), "what happens in an instant is in it");
    let (back, _) = states(&operator, account, 3_000).await;
    assert_eq!((back.remaining, back.budget.used), (credits(60), credits(0)));
    let (last, _) = states(&operator, account, DAY - 1).await;
    assert_eq!(last.remaining, credits(60));
    let (expired, lots) = states(&operator, account, DAY).await;
    assert_eq!(
        (expired.remaining, lots[0]),
        (credits(50), (short, 10, LotState::Expired)),
        "its end is not in its life"
    );
}

#[tokio::test]
async fn an_expiry_that_was_moved_and_a_budget_count_from_when_live_state_heard_of_them() {
    let (operator, account, lot, mut stream) = settled(10, 1).await;
    operator.db.ledger.move_lot_expiry(lot, NOON.plus_ms(3 * DAY), &by(NOON)).await.unwrap();
    operator.db.ledger.set_budget(account, credits(7), &by(NOON)).await.unwrap();
    stream.at = NOON.plus_ms(2 * DAY);
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    let (before, lots) = states(&operator, account, 2 * DAY - 1).await;
    assert_eq!((before.budget.limit, lots), (credits(0), vec![(lot, 10, LotState::Expired)]));
    let (after, lots) = states(&operator, account, 2 * DAY).await;
    assert_eq!((after.budget.limit, lots), (credits(7), vec![(lot, 10, LotState::Live)]));
    assert_eq!(after.lots[0].expires_at, NOON.plus_ms(3 * DAY));
}

#[tokio::test]
async fn entries_of_an_instant_are_in_it_and_an_account_that_is_not_there_is_told() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    operator.grants(account, 10, 1).await;
    let until = async |at| operator.db.ledger.entries_until(account, at, 10).await.unwrap().len();
    assert_eq!((until(NOON.minus_ms(1)).await, until(NOON).await), (0, 1));
    let nobody = AccountId::from_uuid(uuid::Uuid::nil());
    assert_eq!(operator.db.ledger.past(nobody, NOON).await.unwrap_err().code(), "account_not_found");
}

#[tokio::test]
async fn a_lot_that_was_drawn_for_more_than_it_had_is_told_as_empty_and_not_as_corrupt() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (short, long) = (operator.grants(account, 10, 1).await, operator.grants(account, 50, 30).await);
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits(account, op(1), &[(short, 14)]);
    let recorded = stream.drains(&operator.db).await;
    assert_eq!(recorded.shortfalls.len(), 1);
    let (past, lots) = states(&operator, account, 1).await;
    assert_eq!((past.remaining, lots[0]), (credits(50), (short, 0, LotState::Exhausted)));
    assert_eq!(lots[1].0, long);
    let receipts = operator.db.ledger.receipts(op(1)).await.unwrap();
    assert_eq!((receipts[0].lots[0].before, receipts[0].lots[0].after), (credits(10), credits(0)));
}
