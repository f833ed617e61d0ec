//! The console behind the gateway: its routes keep the session's cookie, and nothing else of a caller's becomes more than it was.

use metering::Status;
use serde_json::json;

use crate::house::Signer;
use crate::sessions::{Chat, claims, cookie};

async fn chat() -> Chat {
    let signer = Signer::ed_dsa();
    let keys = json!({ "keys": [signer.jwk("one")] });
    Chat::start_with(signer, &keys, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_s_cookie_goes_to_the_server_that_looks_at_it_itself_and_to_no_other() {
    let mut chat = chat().await;
    let account = chat.house.account(Status::Active, 10).await;
    let session = cookie(&chat.token(&account));
    let all = format!("theme=dark; {session}; lang=en");
    for path in ["/billing/overview", "/billing/receipts/7/more?after=x", "/billing/docs/", "/%62illing/overview"] {
        assert_eq!(chat.get(path, &all).await.status, 200, "{path}");
        let seen = chat.house.upstream.last();
        assert_eq!(seen.values("cookie"), [all.as_str()], "{path}");
        assert_eq!(seen.values("tollgate-account"), Vec::<&str>::new(), "the gateway looked at nobody");
        assert_eq!(seen.values("x-forwarded-host"), ["gateway.test"]);
        assert_eq!(seen.values("host"), [chat.house.upstream.url().replace("http://", "")]);
    }
    for path in ["/open", "/chat/history", "/chat/profile"] {
        assert_eq!(chat.get(path, &all).await.status, 200, "{path}");
        assert_eq!(chat.house.upstream.last().values("cookie"), ["theme=dark; lang=en"], "{path}");
    }
    // What is no session, or one that has ended, is for the server to say.
    for text in ["__Host-tollgate-session=nonsense", "other=1"] {
        assert_eq!(chat.get("/billing/overview", text).await.status, 200);
        assert_eq!(chat.house.upstream.last().values("cookie"), [text]);
    }
    assert_eq!(chat.house.remaining(&account).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_can_not_speak_as_the_gateway_to_the_server_that_gets_the_cookie() {
    let mut chat = chat().await;
    let account = chat.house.account(Status::Active, 10).await;
    let session = cookie(&chat.signer.token("one", &claims(&account)));
    let lines = [
        ("Cookie", session.as_str()),
        ("Tollgate-Account", "acct_00000000000000000000000000000000"),
        ("Tollgate-Subject", "bob"),
        ("Tollgate-Roles", "operator"),
        ("Tollgate_Account", "x"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "6.6.6.6"),
        ("Forwarded", "host=evil.example"),
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let answer = chat.house.gateway.send("POST", "/billing/budget", &lines, "limit=40").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = chat.house.upstream.last();
    for (name, values) in [
        ("cookie", vec![session.as_str()]),
        ("x-forwarded-host", vec!["gateway.test"]),
        ("x-forwarded-proto", vec!["http"]),
        ("x-forwarded-for", vec!["127.0.0.1"]),
        ("forwarded", vec![]),
        // Where the page was from is told as it came: the server refuses what is not from here.
        ("origin", vec!["https://evil.example"]),
        ("sec-fetch-site", vec!["cross-site"]),
    ] {
        assert_eq!(seen.values(name), values, "{name} in\n{}", seen.head);
    }
    let head = seen.head.to_ascii_lowercase();
    assert!(!head.contains("tollgate-account") && !head.contains("tollgate_account"), "{head}");
    assert!(!head.contains("bob") && !head.contains("operator"), "{head}");
    for (method, path) in [("DELETE", "/billing/budget"), ("GET", "/billing"), ("GET", "/billing/"), ("GET", "/bill")] {
        assert_eq!(chat.house.gateway.send(method, path, &[("Cookie", &session)], "").await.status, 404, "{path}");
    }
    for path in ["/billing/../open", "/billing//open", "/billing/%2e%2e/open", "/billing/x%2fy"] {
        assert_eq!(chat.get(path, &session).await.status, 400, "{path}");
    }
}
