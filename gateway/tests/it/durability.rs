//! Routes whose debits must be on the disk of Redis before a byte goes upstream.

use metering::Status;
use metering::live::Place;
use metering::testing::{RedisServer, RedisSetup, valkey};

use crate::house::{Account, Answer, House};

/// A house on a Redis of this kind, behind a user of its own as in life.
async fn house(setup: RedisSetup) -> House {
    let redis = RedisServer::start_with(RedisSetup { users: true, ..setup });
    let (owner, gateway) = (Place::new(&redis.url_of("ledger-sync")), redis.url_of("gateway"));
    House::start_on(redis, owner, &gateway, "meter.fsync_ms_max = 4000").await
}

async fn ask(house: &House, account: &Account) -> Answer {
    house.gateway.send("POST", "/v1/durable", &[("X-Api-Key", account.key.reveal())], "{}").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_can_t_promise_it_serves_no_such_route_and_nobody_pays() {
    let mut house = house(RedisSetup::default()).await;
    let account = house.account(Status::Active, 10).await;
    let answer = ask(&house, &account).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "meter_unavailable"), "{}", house.gateway.log());
    assert_eq!((&answer.json()["reason"], answer.header("Retry-After")), (&"not_durable".into(), Some("1")));
    assert_eq!(house.remaining(&account).await, 10, "what was drawn is given back");
    assert_eq!(house.upstream.seen().len(), 0, "and nothing went on");
    assert!(house.gateway.log().contains("appendfsync is not always"), "operators are told why");
    assert_eq!(house.message(&account, "").await.status, 200, "other routes go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_writes_before_it_answers_serves_it() {
    let mut house = house(RedisSetup { appendfsync: "always", ..RedisSetup::default() }).await;
    let account = house.account(Status::Active, 10).await;
    assert_eq!(ask(&house, &account).await.status, 200, "{}", house.gateway.log());
    assert_eq!(house.remaining(&account).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_says_what_is_on_its_disk_serves_it_and_one_that_does_not_write_does_not() {
    let Some(valkey) = valkey() else { return };
    let mut house = house(RedisSetup { valkey: Some(valkey), ..RedisSetup::default() }).await;
    let account = house.account(Status::Active, 10).await;
    assert_eq!(ask(&house, &account).await.status, 200, "{}", house.gateway.log());
    assert_eq!(house.remaining(&account).await, 9);
    house.redis.command(&["CONFIG", "SET", "appendfsync", "no"]);
    let answer = ask(&house, &account).await;
    assert_eq!((answer.status, &answer.json()["reason"]), (503, &"not_durable".into()));
    assert_eq!(house.remaining(&account).await, 9);
}
