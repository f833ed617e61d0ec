//! Browsers: whose session opens what, and which tokens open nothing.

use std::time::Instant;

use metering::{Body, Status};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::house::{Account, Answer, House, Signer, bearer, now_seconds, session_settings};

const COOKIE: &str = "__Host-tollgate-session";

/// A house whose browsers' sessions are signed by one key, named `one`.
pub struct Chat {
    pub house: House,
    pub signer: Signer,
    /// Where the published keys are.
    _directory: TempDir,
}

impl Chat {
    async fn start(signer: Signer, more: &str) -> Self {
        let keys = json!({ "keys": [signer.jwk("one")] });
        Self::start_with(signer, &keys, more).await
    }

    /// With these keys published.
    pub async fn start_with(signer: Signer, keys: &Value, more: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("jwks.json");
        std::fs::write(&file, keys.to_string()).unwrap();
        let keys = format!("jwks_file = \"{}\"\n{more}", file.display());
        let house = House::start_with(&session_settings(signer.algorithm(), &keys)).await;
        Self { house, signer, _directory: directory }
    }

    pub fn token(&self, account: &Account) -> String {
        self.signer.token("one", &claims(account))
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.house.gateway.send("GET", path, &[("Cookie", cookie)], "").await
    }

    /// A page of this host writes.
    pub async fn say(&self, cookie: &str) -> Answer {
        self.write(&[("Cookie", cookie), ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/json")]).await
    }

    pub async fn write(&self, lines: &[(&str, &str)]) -> Answer {
        self.house.gateway.send("POST", "/chat/say", lines, "{}").await
    }
}

pub fn claims(account: &Account) -> Value {
    let now = now_seconds();
    json!({
        "iss": "id.test", "aud": "gateway.test", "sub": "ann@team.test", "exp": now + 600, "iat": now - 10,
        "account": account.id.to_string(), "roles": ["admin"],
    })
}

pub fn cookie(token: &str) -> String {
    format!("{COOKIE}={token}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_draws_from_its_account_and_stays_at_the_edge() {
    let mut chat = Chat::start(Signer::ed_dsa(), "").await;
    let account = chat.house.account(Status::Active, 10).await;
    let token = chat.token(&account);
    let answer = chat.say(&format!("theme=dark; {}; lang=en", cookie(&token))).await;
    assert_eq!((answer.status, answer.header("Credits-Remaining")), (200, Some("9")), "{answer:?}");
    let seen = chat.house.upstream.last();
    assert_eq!(seen.values("tollgate-account"), [account.id.to_string()]);
    assert_eq!(seen.values("tollgate-subject"), ["ann@team.test"]);
    assert_eq!(seen.values("tollgate-key-id"), Vec::<&str>::new());
    assert_eq!(seen.values("cookie"), ["theme=dark; lang=en"]);
    let events = chat.house.stage.events(&account.id).await;
    assert!(events.iter().any(|event| matches!(&event.body, Body::Debit { key: None, .. })), "{events:?}");

    let authorization = format!("Bearer {token}");
    for path in ["/chat/say", "/chat/both"] {
        let answer = chat.house.gateway.send("POST", path, &[("Authorization", &authorization)], "{}").await;
        assert_eq!(answer.status, 200, "a page adds a bearer by itself: {answer:?}");
        assert_eq!(chat.house.upstream.last().values("authorization"), Vec::<&str>::new());
    }
    let key = bearer(&account.key);
    let answer = chat.house.gateway.send("POST", "/chat/both", &[("Authorization", &key)], "{}").await;
    assert_eq!((answer.status, answer.header("Credits-Remaining")), (200, Some("6")), "{answer:?}");
    assert_eq!(chat.get("/open", &cookie(&token)).await.status, 200);
    assert_eq!(chat.house.upstream.last().values("cookie"), Vec::<&str>::new(), "no upstream needs it");
    assert!(chat.house.upstream.seen().iter().all(|seen| !seen.head.contains(&token)));
    assert_eq!(chat.house.gateway.metric("tollgate_gateway_session_lookups_total{result=\"verified\"}").await, 1);
    assert_eq!(chat.house.gateway.metric("tollgate_gateway_session_lookups_total{result=\"hit\"}").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_opens_its_own_account_and_no_other() {
    let mut chat = Chat::start(Signer::ed_dsa(), "").await;
    let (mine, theirs) = (chat.house.account(Status::Active, 10).await, chat.house.account(Status::Active, 20).await);
    let my_cookie = cookie(&chat.token(&mine));
    let their_id = theirs.id.to_string();
    for path in ["/chat/profile", &format!("/chat/profile?account={their_id}")] {
        let lines = [
            ("Cookie", &*my_cookie),
            ("Tollgate-Account", &*their_id),
            ("Tollgate_Account", &*their_id),
            ("Tollgate-Subject", "bob"),
            ("Tollgate-Roles", "operator"),
        ];
        assert_eq!(chat.house.gateway.send("GET", path, &lines, "").await.status, 200);
        let seen = chat.house.upstream.last();
        assert_eq!(seen.values("tollgate-account"), [mine.id.to_string()]);
        assert_eq!(seen.values("tollgate-subject"), ["ann@team.test"]);
        assert!(!seen.head.contains("bob") && !seen.head.contains("operator"), "{}", seen.head);
    }
    for (account, remaining) in [(&mine, 10), (&theirs, 20), (&mine, 10)] {
        let credits = chat.get("/chat/credits", &cookie(&chat.token(account))).await;
        assert_eq!((credits.status, &credits.json()["remaining"]), (200, &json!(remaining)));
    }
    assert_eq!(chat.say(&my_cookie).await.status, 200);
    assert_eq!((chat.house.remaining(&mine).await, chat.house.remaining(&theirs).await), (9, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_credentials_or_none_are_refused() {
    let mut chat = Chat::start(Signer::ed_dsa(), "").await;
    let account = chat.house.account(Status::Active, 10).await;
    let token = chat.token(&account);
    let (session, key, authorization) = (cookie(&token), bearer(&account.key), format!("Bearer {token}"));
    let cookie = ("Cookie", session.as_str());
    let planted = format!("{session}; {session}");
    for lines in [
        &[cookie, ("Authorization", &key)][..],
        &[cookie, ("X-Api-Key", account.key.reveal())],
        &[cookie, ("Authorization", &authorization)],
        &[cookie, cookie],
        &[("Cookie", planted.as_str())],
    ] {
        for path in ["/chat/both", "/chat/say"] {
            let answer = chat.house.gateway.send("POST", path, lines, "{}").await;
            assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{path} {lines:?}");
        }
    }
    for (path, lines, code) in [
        ("/chat/say", &[][..], "invalid_session"),
        ("/chat/say", &[("Cookie", "theme=dark")], "invalid_session"),
        ("/chat/say", &[("Authorization", key.as_str())], "invalid_session"),
        ("/chat/say", &[("X-Api-Key", account.key.reveal())], "invalid_session"),
        ("/chat/both", &[], "invalid_api_key"),
        ("/v1/messages", &[cookie], "invalid_api_key"),
        ("/v1/messages", &[("Authorization", &authorization)], "invalid_api_key"),
    ] {
        let answer = chat.house.gateway.send("POST", path, lines, "{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (401, code), "{path} {lines:?}");
    }
    assert_eq!((chat.house.upstream.seen().len(), chat.house.remaining(&account).await), (0, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_while_it_is_remembered() {
    let mut chat = Chat::start(Signer::ed_dsa(), "leeway_seconds = 0").await;
    let account = chat.house.account(Status::Active, 10).await;
    let mut claims = claims(&account);
    claims["exp"] = json!(now_seconds() + 2);
    let cookie = cookie(&chat.signer.token("one", &claims));
    let started = Instant::now();
    assert_eq!(chat.get("/chat/history", &cookie).await.status, 200);
    loop {
        let answer = chat.get("/chat/history", &cookie).await;
        if answer.status == 401 {
            assert_eq!(answer.code(), "session_expired");
            break;
        }
        assert!(started.elapsed().as_secs() < 5, "an expired session is still good: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_account_reads_what_its_routes_allow_by_session_too() {
    let mut chat = Chat::start(Signer::ed_dsa(), "").await;
    for (status, answered) in [
        (Status::PaymentFailed, (402, "payment_failed")),
        (Status::Suspended, (403, "account_suspended")),
        (Status::Pending, (403, "account_pending")),
    ] {
        let account = chat.house.account(status, 10).await;
        let cookie = cookie(&chat.token(&account));
        assert_eq!(chat.get("/chat/history", &cookie).await.status, 200, "allowed when blocked");
        for answer in [chat.get("/chat/profile", &cookie).await, chat.say(&cookie).await] {
            assert_eq!((answer.status, answer.code().as_str()), answered);
        }
        assert_eq!(chat.house.remaining(&account).await, 10);
    }
    let account = chat.house.account(Status::Active, 10).await;
    let cookie = cookie(&chat.token(&account));
    assert_eq!(chat.get("/chat/profile", &cookie).await.status, 200);
    let calls = chat.house.script_calls().await;
    for _ in 0..5 {
        assert_eq!(chat.get("/chat/profile", &cookie).await.status, 200);
    }
    assert!(chat.house.script_calls().await <= calls + 1, "a status is remembered for a second");
}
