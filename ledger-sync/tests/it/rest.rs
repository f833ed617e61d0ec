//! What shards cost on which nothing happens, and that nothing is missed by it.

use std::time::Duration;

use ledger::testing::database;
use metering::live::Meter;
use metering::testing::RedisServer;

use crate::process::{Sync, wait_until};
use crate::stories::{ada, draw_one, suspend, wait_book, wait_remaining};

/// How often streams were read.
fn reads(redis: &RedisServer) -> u64 {
    let stats = redis.text(&["INFO", "commandstats"]);
    let calls = stats.split_once("cmdstat_xrange:calls=").and_then(|(_, rest)| rest.split_once(','));
    calls.map_or(0, |(calls, _)| calls.parse().unwrap())
}

#[tokio::test]
async fn shards_at_rest_are_looked_at_a_few_times_a_second_and_what_happens_next_is_soon_in_the_book() {
    let (redis, book) = (RedisServer::start(), database().await);
    let _sync = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 10).await;
    wait_remaining(&meter, ada, 10).await;
    draw_one(&meter, ada).await;
    wait_book(&book, 9).await;
    // More than once: a busy machine may let a lease end, and a shard that was just certified is in use for a second.
    wait_until("four shards are read a few times in two seconds", async || {
        let before = reads(&redis);
        tokio::time::sleep(Duration::from_secs(2)).await;
        (1..=4 * 12).contains(&(reads(&redis) - before))
    })
    .await;
    draw_one(&meter, ada).await;
    wait_book(&book, 8).await;
}

#[tokio::test]
async fn a_change_that_nobody_was_told_of_is_carried_all_the_same() {
    let (redis, book) = (RedisServer::start(), database().await);
    let _sync = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 10).await;
    wait_remaining(&meter, ada, 10).await;
    book.execute("ALTER TABLE outbox DISABLE TRIGGER USER").await.unwrap();
    suspend(&book, &meter, ada).await;
}
