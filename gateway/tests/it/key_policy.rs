//! What a key is held to beside its account: scopes, addresses, rates.

use metering::{KeyPolicy, Status};

use crate::house::{Account, House, bearer};

impl House {
    /// An account whose key is held to a policy.
    async fn held_account(&mut self, credits: u64, policy: &str) -> Account {
        let mut account = self.account(Status::Active, credits).await;
        account.key_image.policy = serde_json::from_str::<KeyPolicy>(policy).unwrap();
        self.stage.put_key(account.key_image.clone()).await;
        account
    }

    async fn batch(&self, account: &Account) -> crate::house::Answer {
        let lines = [("Authorization", &*bearer(&account.key)), ("Batch-Size", "2")];
        self.gateway.send("POST", "/v1/batch", &lines, "{}").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_scope_of_a_route_is_refused_there_and_draws_nothing() {
    let mut house = House::start().await;
    let account = house.held_account(10, r#"{"scopes":["messages"]}"#).await;
    assert_eq!(house.message(&account, "").await.status, 200, "a route without a scope is for every key");
    let refused = house.batch(&account).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (403, Some("scope_missing")));
    assert_eq!(refused.json()["scope"], "batch");
    assert_eq!(house.remaining(&account).await, 9);
    let account = house.held_account(10, r#"{"scopes":["messages","batch"]}"#).await;
    assert_eq!(house.batch(&account).await.status, 200);
    let unheld = house.account(Status::Active, 10).await;
    assert_eq!(house.batch(&unheld).await.status, 200, "a key without scopes has them all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_good_from_its_addresses_only_whatever_the_caller_says_of_himself() {
    let mut house = House::start().await;
    let here = house.held_account(10, r#"{"addresses":["10.0.0.0/8","127.0.0.0/8"]}"#).await;
    assert_eq!(house.message(&here, "").await.status, 200);
    let elsewhere = house.held_account(10, r#"{"addresses":["10.0.0.0/8"]}"#).await;
    let lines = [("Authorization", &*bearer(&elsewhere.key)), ("X-Forwarded-For", "10.1.2.3")];
    let refused = house.gateway.send("POST", "/v1/messages", &lines, "{}").await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (403, Some("address_not_allowed")));
    assert_eq!(house.remaining(&elsewhere).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_used_too_often_waits_and_draws_nothing_meanwhile() {
    let mut house = House::start().await;
    let account = house.held_account(10, r#"{"rates":[{"name":"hour","count":3,"per_ms":3600000}]}"#).await;
    let first = house.message(&account, "").await;
    assert_eq!(first.header("RateLimit-Policy"), Some("\"hour\";q=3;w=3600"));
    assert_eq!(first.header("RateLimit"), Some("\"hour\";r=2;t=1200"));
    let free = house.get("/v1/artifacts/7", &account).await;
    assert_eq!((free.status, free.header("RateLimit")), (200, Some("\"hour\";r=1;t=2400")), "{free:?}");
    assert_eq!(house.message(&account, "").await.status, 200);
    for refused in [house.message(&account, "").await, house.get("/v1/artifacts/7", &account).await] {
        assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("rate_limited")), "{refused:?}");
        assert_eq!(refused.json()["rate"], "hour");
        let wait: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
        assert!((1_100..=1_200).contains(&wait), "{wait}");
    }
    assert_eq!(house.remaining(&account).await, 8);
    let metric = "tollgate_gateway_debits_total{outcome=\"rate_limited\"}";
    assert_eq!(house.gateway.metric(metric).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_and_its_replacement_count_against_the_same_rates() {
    let mut house = House::start().await;
    let old = house.held_account(10, r#"{"rates":[{"name":"hour","count":2,"per_ms":3600000}]}"#).await;
    let (key, mut image) = house.key(old.id, Status::Active).await;
    (image.policy, image.rates_of) = (old.key_image.policy.clone(), old.key_image.key);
    house.stage.put_key(image.clone()).await;
    let new = Account { id: old.id, key, key_image: image };
    assert_eq!(house.message(&old, "").await.status, 200);
    assert_eq!(house.message(&new, "").await.status, 200);
    for account in [&old, &new] {
        assert_eq!(house.message(account, "").await.status, 429);
    }
    assert_eq!(house.remaining(&old).await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn free_requests_of_a_key_with_rates_go_on_while_redis_is_away() {
    let mut house = House::start().await;
    let account = house.held_account(10, r#"{"rates":[{"name":"hour","count":900,"per_ms":3600000}]}"#).await;
    house.warm(&account).await;
    house.redis.kill();
    let answer = house.get("/v1/artifacts/7", &account).await;
    assert_eq!((answer.status, answer.header("RateLimit")), (200, None), "{answer:?}");
}
