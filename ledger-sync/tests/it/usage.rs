//! What accounts used is counted for people beside the drain, and who has little left is told within seconds.

use ledger::Day;
use ledger::testing::{TestDatabase, database};
use metering::AccountId;
use metering::live::Meter;
use metering::testing::RedisServer;

use crate::process::{Sync, wait_until};
use crate::stories::{ada, ask, by, draw_one, wait_remaining};

/// Credits and calls of an account around today, as people see them.
async fn used(book: &TestDatabase, account: AccountId) -> (u64, u64) {
    let today = Day::of(book.ledger.book_now().await.unwrap());
    let usage = book.ledger.usage(account, today.minus(1), today.plus(2)).await.unwrap();
    (usage.days.iter().map(|day| day.credits.get()).sum(), usage.days.iter().map(|day| day.calls).sum())
}

async fn low(book: &TestDatabase) -> i64 {
    book.number("SELECT count(*) FROM mails WHERE kind = 'low_balance'").await
}

#[tokio::test]
async fn what_is_drawn_is_counted_once_whichever_owner_counts_and_a_low_balance_is_told_once() {
    let (redis, book) = (RedisServer::start(), database().await);
    let mut first = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 50).await;
    wait_remaining(&meter, ada, 50).await;
    for _ in 0..39 {
        draw_one(&meter, ada).await;
    }
    wait_until("39 credits are counted", async || used(&book, ada).await == (39, 39)).await;
    assert_eq!(low(&book).await, 0, "more than a fifth is left");
    first.kill();
    draw_one(&meter, ada).await;
    let second = Sync::start(&redis.url(), &book.url).await;
    wait_until("the last one is counted, too", async || used(&book, ada).await == (40, 40)).await;
    wait_until("the balance is told", async || low(&book).await == 1).await;
    draw_one(&meter, ada).await;
    wait_until("41 credits are counted", async || used(&book, ada).await == (41, 41)).await;
    assert_eq!(low(&book).await, 1, "once");
    assert!(book.ledger.recount_usage(&[ada]).await.unwrap().is_empty());
    assert_eq!(second.metric("tollgate_sync_usage_failed_total").await, 0);
    assert!(second.metric("tollgate_sync_usage_entries_total").await >= 2);
    wait_until("nothing is behind", async || second.metric("tollgate_sync_usage_lag_ms").await == 0).await;
}

#[tokio::test]
async fn a_balance_that_fell_without_a_debit_is_told_when_all_accounts_are_looked_at() {
    let (redis, book) = (RedisServer::start(), database().await);
    let _sync = {
        let sync = Sync::start_unready(&redis.url(), &book.url, "usage.look_ms = 200\nusage.interval_ms = 100");
        sync.wait_ready().await;
        sync
    };
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 100).await;
    wait_remaining(&meter, ada, 100).await;
    let now = book.ledger.book_now().await.unwrap();
    let lot = book.ledger.account_view(ada, now).await.unwrap().lots[0].lot;
    book.ledger.reduce_lot(lot, crate::stories::credits(85), &by(now)).await.unwrap();
    wait_until("the balance is told", async || low(&book).await == 1).await;
    assert_eq!(used(&book, ada).await, (0, 0), "nobody used that");
    assert!(meter.debit(&ask(ada, 1)).await.is_ok());
}
