//! What the upstream may trust in a request's header, and what a caller is told.

use metering::Status;

use crate::house::{House, bearer};

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_can_not_set_what_the_upstream_trusts() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let lines = [
        ("Authorization", &*bearer(&account.key)),
        ("Tollgate-Account", "acct_00000000000000000000000000000000"),
        ("tollgate-anything", "x"),
        ("Tollgate_Account", "x"),
        ("X_Forwarded_For", "6.6.6.6"),
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Prefix", "/x"),
        ("Forwarded", "for=6.6.6.6"),
        ("X-Real-Ip", "6.6.6.6"),
        ("Request-Id", "mine"),
        ("Traceparent", "nonsense"),
        ("X-Custom", "kept"),
    ];
    let answer = house.gateway.send("POST", "/v1/messages", &lines, "{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = house.upstream.last();
    let request_id = answer.header("Request-Id").unwrap();
    for (name, values) in [
        ("Tollgate-Account", vec![account.id.to_string()]),
        ("Tollgate-Key-Id", vec![account.key_image.key.to_string()]),
        ("X-Forwarded-For", vec!["127.0.0.1".to_owned()]),
        ("X-Forwarded-Host", vec!["gateway.test".to_owned()]),
        ("X-Forwarded-Proto", vec!["http".to_owned()]),
        ("Host", vec![house.upstream.url().replace("http://", "")]),
        ("Request-Id", vec![request_id.to_owned()]),
        ("X-Custom", vec!["kept".to_owned()]),
        ("Authorization", vec![]),
        ("tollgate-anything", vec![]),
        ("Tollgate_Account", vec![]),
        ("X_Forwarded_For", vec![]),
        ("X-Forwarded-Prefix", vec![]),
        ("Forwarded", vec![]),
        ("X-Real-Ip", vec![]),
    ] {
        assert_eq!(seen.values(name), values, "{name} in\n{}", seen.head);
    }
    let trace = seen.values("traceparent")[0].to_owned();
    assert!(trace.starts_with(&format!("00-{}-", request_id.replace('-', ""))), "{trace}");
    assert!(!seen.head.contains("tg_test_"), "the key went upstream\n{}", seen.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_place_of_a_key_is_removed_too_and_a_good_traceparent_is_kept() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let lines =
        [("X-Api-Key", account.key.reveal()), ("traceparent", trace), ("Connection", "close, Tollgate-Account")];
    assert_eq!(house.gateway.send("GET", "/v1/artifacts/7", &lines, "").await.status, 200);
    let seen = house.upstream.last();
    assert_eq!(seen.values("traceparent"), [trace]);
    assert_eq!(seen.values("tollgate-account"), [account.id.to_string()]);
    assert!(!seen.head.contains("tg_test_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_priced_answer_says_what_it_cost_and_the_upstream_can_not() {
    let mut house = House::start().await;
    let account = house.account_with_budget(Status::Active, 10, 5).await;
    let answer = house.message(&account, "").await;
    assert_eq!(answer.header("Credits-Cost"), Some("1"));
    assert_eq!(answer.header("Credits-Remaining"), Some("9"), "the upstream said 999");
    assert_eq!(answer.header("Credits-Receipt"), answer.header("Request-Id"));
    assert_eq!(answer.header("Budget-Remaining"), Some("4"));
    assert!(answer.header("Budget-Reset").unwrap().ends_with("-01T00:00:00Z"));
    assert_eq!(answer.header("Tollgate-Price"), None);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let free = house.get("/v1/artifacts/7", &account).await;
    assert_eq!((free.header("Credits-Cost"), free.header("Credits-Remaining")), (None, None));
    assert!(free.header("Request-Id").is_some());
}
