//! Refused requests are known for as long as the settings say.

use ledger::testing::database;
use metering::testing::RedisServer;

use crate::process::{Sync, wait_until};

#[tokio::test]
async fn refused_requests_are_forgotten_after_their_days_and_not_before() {
    let (redis, book) = (RedisServer::start(), database().await);
    let refused = async |count: u32, days: u32| {
        let sql = format!(
            "INSERT INTO refusals (request_id, code, detail, gateway, refused_at) \
             SELECT gen_random_uuid(), 'credits_exhausted', '{{}}', 'g1', now() - interval '{days} days' \
             FROM generate_series(1, {count})"
        );
        book.execute(&sql).await.unwrap();
    };
    refused(5_001, 15).await; // more than are forgotten at once
    refused(7, 13).await;
    let _sync = Sync::start(&redis.url(), &book.url).await;
    wait_until("the old ones are forgotten", async || book.number("SELECT count(*) FROM refusals").await <= 7).await;
    assert_eq!(book.number("SELECT count(*) FROM refusals").await, 7);
}
