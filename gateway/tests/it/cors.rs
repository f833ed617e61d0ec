//! Pages of other sites: which may use a route, and what their browsers are told.

use metering::Status;

use crate::house::{Answer, House, bearer};

const APP: &str = "https://app.example";

async fn ask(house: &House, path: &str, origin: &str, method: &str) -> Answer {
    let lines = [
        ("Origin", origin),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", "authorization"),
    ];
    house.gateway.send("OPTIONS", path, &lines, "").await
}

fn vary(answer: &Answer) -> Vec<String> {
    let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(name, _)| name.eq_ignore_ascii_case("vary")).map(|(_, value)| value.to_ascii_lowercase()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_asks_is_answered_without_auth_and_without_a_draw() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let calls = house.script_calls().await;
    for origin in [APP, "http://localhost:5173"] {
        let answer = ask(&house, "/v1/pages/7?x=1", origin, "POST").await;
        assert_eq!((answer.status, answer.body.len(), answer.header("Content-Length")), (204, 0, None), "{answer:?}");
        for (name, value) in [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Methods", "POST"),
            ("Access-Control-Allow-Headers", "authorization, content-type"),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Max-Age", "60"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        assert_eq!(vary(&answer), ["access-control-request-method", "access-control-request-headers", "origin"]);
    }
    let answer = ask(&house, "/v1/pages/7", "https://anybody.example", "GET").await;
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("GET"));
    assert_eq!(answer.header("Access-Control-Allow-Credentials"), None, "never with every origin");
    assert_eq!(answer.header("Access-Control-Allow-Headers"), None);
    assert_eq!((house.upstream.seen().len(), house.script_calls().await), (0, calls));
    assert_eq!(house.remaining(&account).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_page_is_told_no() {
    let house = House::start().await;
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://app.example:443",
        "http://app.example",
        "HTTPS://APP.EXAMPLE",
        "null",
        "*",
        "",
    ] {
        let answer = ask(&house, "/v1/pages/7", origin, "POST").await;
        assert_eq!(answer.status, 204, "{origin}");
        assert!(!answer.head.to_ascii_lowercase().contains("access-control-allow"), "{origin}: {answer:?}");
        assert!(vary(&answer).contains(&"origin".to_owned()));
    }
    let twice = "OPTIONS /v1/pages/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: https://app.example\r\n\
                 Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n\r\n";
    let answer = house.gateway.raw(twice).await;
    assert!(!answer.head.to_ascii_lowercase().contains("access-control-allow"), "{answer:?}");
    // No question, or none about a route that pages of other sites may use.
    for (path, method, status) in [
        ("/v1/messages", "POST", 404),
        ("/v1/pages/7", "DELETE", 404),
        ("/v1/pages/7", "po st", 404),
        ("/v1/pages/7/8", "POST", 404),
        ("/v1/pages/%2e%2e", "POST", 400),
    ] {
        let answer = ask(&house, path, APP, method).await;
        assert_eq!((answer.status, answer.header("Access-Control-Allow-Origin")), (status, None), "{method} {path}");
    }
    let lines = [("Origin", APP)];
    assert_eq!(house.gateway.send("OPTIONS", "/v1/pages/7", &lines, "").await.status, 404, "no question");
    let lines = [("Access-Control-Request-Method", "POST")];
    assert_eq!(house.gateway.send("OPTIONS", "/v1/pages/7", &lines, "").await.status, 404, "nobody asks");
    assert_eq!(house.upstream.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_page_reads_every_answer_and_another_reads_none() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 1).await;
    let key = bearer(&account.key);
    for (authorization, status) in [(Some(&key), 200), (Some(&key), 402), (None, 401)] {
        let mut lines = vec![("Origin", APP), ("X-Do", "open-to-all")];
        lines.extend(authorization.map(|key| ("Authorization", key.as_str())));
        let answer = house.gateway.send("POST", "/v1/pages/7", &lines, "{}").await;
        assert_eq!((answer.status, answer.header("Access-Control-Allow-Origin")), (status, Some(APP)), "{answer:?}");
        assert!(answer.header("Access-Control-Expose-Headers").unwrap().contains("credits-remaining"));
        assert_eq!(answer.head.to_ascii_lowercase().matches("access-control-allow-origin").count(), 1, "{answer:?}");
        assert!(vary(&answer).contains(&"origin".to_owned()), "{answer:?}");
    }
    assert!(house.upstream.seen().len() == 1 && house.remaining(&account).await == 0);
    for origin in [&[("Origin", "https://evil.example")][..], &[]] {
        let lines = [&[("Authorization", key.as_str())], origin].concat();
        let answer = house.gateway.send("POST", "/v1/pages/7", &lines, "{}").await;
        assert_eq!((answer.status, answer.header("Access-Control-Allow-Origin")), (402, None));
        assert!(vary(&answer).contains(&"origin".to_owned()), "{answer:?}");
    }
    let open = house.gateway.send("GET", "/v1/pages/7", &[("Origin", APP), ("X-Do", "open-to-all")], "").await;
    assert_eq!(open.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(open.header("Access-Control-Allow-Credentials"), None, "the upstream's word does not count");
    assert_eq!(vary(&open), ["accept", "origin"]);
    let without = house.gateway.send("GET", "/open", &[("Origin", APP), ("X-Do", "open-to-all")], "").await;
    assert_eq!(
        without.header("Access-Control-Allow-Credentials"),
        Some("true"),
        "a route without it passes on what is said"
    );
}
