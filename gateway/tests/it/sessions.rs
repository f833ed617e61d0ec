//! Browsers: whose session opens what, and which tokens open nothing.

use std::time::Instant;

use metering::{Body, Status};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::house::{Account, Answer, House, Signer, bearer, now_seconds, session_settings};

const COOKIE: &str = "__Host-tollgate-session";

/// A house whose browsers' sessions are signed by one key, named `one`.
struct Chat {
    house: House,
    signer: Signer,
    directory: TempDir,
}

impl Chat {
    async fn start(signer: Signer, more: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("jwks.json");
        std::fs::write(&file, json!({ "keys": [signer.jwk("one")] }).to_string()).unwrap();
        let keys = format!("jwks_file = \"{}\"\n{more}", file.display());
        let house = House::start_with(&session_settings(signer.algorithm(), &keys)).await;
        Self { house, signer, directory }
    }

    fn token(&self, account: &Account) -> String {
        self.signer.token("one", &claims(account))
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.house.gateway.send("GET", path, &[("Cookie", cookie)], "").await
    }

    /// A page of this host writes.
    async fn say(&self, cookie: &str) -> Answer {
        self.write(&[("Cookie", cookie), ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/json")]).await
    }

    async fn write(&self, lines: &[(&str, &str)]) -> Answer {
        self.house.gateway.send("POST", "/chat/say", lines, "{}").await
    }
}

fn claims(account: &Account) -> Value {
    let now = now_seconds();
    json!({
        "iss": "id.test", "aud": "gateway.test", "sub": "ann@team.test", "exp": now + 600, "iat": now - 10,
        "account": account.id.to_string(), "roles": ["admin"],
    })
}

fn cookie(token: &str) -> String {
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
async fn a_token_that_was_tampered_with_or_is_for_somebody_else_opens_nothing() {
    let mut chat = Chat::start(Signer::rs256(), "").await;
    let account = chat.house.account(Status::Active, 10).await;
    let good = claims(&account);
    let calls = chat.house.script_calls().await;
    let mut tokens = confused(&chat.signer, &good);
    tokens.extend(wrong_claims(&chat.signer, &good, &account));
    for (what, token, code, reason) in tokens {
        for answer in [
            chat.say(&cookie(&token)).await,
            chat.get("/chat/profile", &cookie(&token)).await,
            chat.write(&[("Authorization", &format!("Bearer {token}"))]).await,
        ] {
            let told = (answer.status, answer.code(), answer.json()["reason"].clone());
            assert_eq!(told, (401, code.to_owned(), json!(reason)), "{what}: {answer:?}");
        }
    }
    assert_eq!(chat.house.script_calls().await, calls, "the store was neither read nor written");
    assert_eq!((chat.house.upstream.seen().len(), chat.house.remaining(&account).await), (0, 10));
    assert_eq!(chat.say(&cookie(&chat.signer.token("one", &good))).await.status, 200, "the honest one passes");
}

type Wrong = (String, String, &'static str, &'static str);

/// Tokens whose header or signature lies.
fn confused(signer: &Signer, good: &Value) -> Vec<Wrong> {
    let honest = signer.token("one", good);
    let parts: Vec<&str> = honest.split('.').collect();
    let modulus = signer.jwk("one")["n"].as_str().unwrap().to_owned();
    let public_text = json!({ "keys": [signer.jwk("one")] }).to_string();
    let none = |alg: &str| Signer::Hs256(vec![0; 32]).sign(&json!({ "typ": "JWT", "alg": alg, "kid": "one" }), good);
    let header = |header: Value| signer.sign(&header, good);
    let (first, rest) = parts[2].split_at(1);
    let flipped = format!("{}.{}.{}{rest}", parts[0], parts[1], if first == "A" { "B" } else { "A" });
    let mut richer = good.clone();
    richer["account"] = json!("acct_00000000000000000000000000000009");
    let other_claims = signer.token("one", &richer).split('.').nth(1).unwrap().to_owned();
    let unsigned = none("none").rsplit_once('.').map(|(signed, _)| format!("{signed}.")).unwrap();
    let unverified = [
        ("HS256 with the public key as the secret", Signer::Hs256(modulus.into_bytes()).token("one", good)),
        ("HS256 with the published keys as the secret", Signer::Hs256(public_text.into_bytes()).token("one", good)),
        ("another algorithm of the same key", header(json!({ "alg": "RS512", "kid": "one" }))),
        ("a key nobody has", signer.token("two", good)),
        ("a key that is a path", signer.token("../../dev/null", good)),
        ("signed by a stranger's key", Signer::ed_dsa().token("one", good)),
        ("another signature", flipped),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("another account under the same signature", format!("{}.{other_claims}.{}", parts[0], parts[2])),
    ];
    let malformed = [
        ("alg none", unsigned),
        ("alg none, signed", none("none")),
        ("alg NoNe", none("NoNe")),
        ("no alg", header(json!({ "kid": "one" }))),
        ("an extension that must be understood", header(json!({ "alg": "RS256", "kid": "one", "crit": ["b64"] }))),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{honest}.x")),
        ("too long", signer.token("one", &json!({ "padding": "x".repeat(5_000) }))),
        ("nothing", String::new()),
        ("quoted", format!("\"{honest}\"")),
    ];
    let unverified = unverified.map(|(what, token)| (what.to_owned(), token, "invalid_session", "unverified"));
    let malformed = malformed.map(|(what, token)| (what.to_owned(), token, "invalid_session", "malformed"));
    unverified.into_iter().chain(malformed).collect()
}

/// Tokens with a good signature under claims that must not pass.
fn wrong_claims(signer: &Signer, good: &Value, account: &Account) -> Vec<Wrong> {
    let now = now_seconds();
    let mut wrong = Vec::new();
    let mut add = |claim: &str, value: Option<Value>, code, reason| {
        let mut claims = good.clone();
        match &value {
            Some(value) => claims[claim] = value.clone(),
            None => drop(claims.as_object_mut().unwrap().remove(claim)),
        }
        wrong.push((format!("{claim} = {value:?}"), signer.token("one", &claims), code, reason));
    };
    for claim in ["exp", "iat", "iss", "aud", "sub", "account"] {
        add(claim, None, "invalid_session", "malformed");
        add(claim, Some(json!({ "a": 1 })), "invalid_session", "malformed");
        add(claim, Some(json!(null)), "invalid_session", "malformed");
    }
    for (claim, value) in [
        ("exp", json!((now + 600).to_string())),
        ("exp", json!(-1)),
        ("iat", json!("0")),
        ("iss", json!(["id.test"])),
        ("aud", json!([5])),
        ("sub", json!(7)),
        ("sub", json!("ann\r\nTollgate-Account: x")),
        ("account", json!(account.id.to_string().to_uppercase())),
        ("account", json!([account.id.to_string()])),
        ("roles", json!("admin")),
    ] {
        add(claim, Some(value), "invalid_session", "malformed");
    }
    add("exp", Some(json!(now - 30)), "session_expired", "expired");
    add("exp", Some(json!(0)), "session_expired", "expired");
    add("iat", Some(json!(now + 60)), "invalid_session", "not_yet_valid");
    add("nbf", Some(json!(now + 60)), "invalid_session", "not_yet_valid");
    add("iss", Some(json!("id.test.evil")), "invalid_session", "other_issuer");
    add("aud", Some(json!("another")), "invalid_session", "other_audience");
    add("aud", Some(json!(["another"])), "invalid_session", "other_audience");
    wrong
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
async fn a_write_with_the_cookie_from_another_site_is_refused_and_draws_nothing() {
    let mut chat = Chat::start(Signer::es256(), "").await;
    let account = chat.house.account(Status::Active, 10).await;
    let cookie = cookie(&chat.token(&account));
    let (cookie, json) = (("Cookie", cookie.as_str()), ("Content-Type", "application/json"));
    for (lines, status, code) in [
        (&[cookie, json][..], 403, "cross_site_request"),
        (&[cookie, json, ("Sec-Fetch-Site", "cross-site")], 403, "cross_site_request"),
        (&[cookie, json, ("Sec-Fetch-Site", "same-site")], 403, "cross_site_request"),
        (&[cookie, json, ("Sec-Fetch-Site", "none")], 403, "cross_site_request"),
        (
            &[cookie, json, ("Sec-Fetch-Site", "cross-site"), ("Origin", "http://gateway.test")],
            403,
            "cross_site_request",
        ),
        (&[cookie, json, ("Origin", "https://gateway.test")], 403, "cross_site_request"),
        (&[cookie, json, ("Origin", "http://evil.test")], 403, "cross_site_request"),
        (&[cookie, json, ("Origin", "null")], 403, "cross_site_request"),
        (&[cookie, ("Sec-Fetch-Site", "same-origin")], 415, "unsupported_media_type"),
        (&[cookie, ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "text/plain")], 415, "unsupported_media_type"),
    ] {
        let answer = chat.write(lines).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{lines:?}");
    }
    assert_eq!((chat.house.upstream.seen().len(), chat.house.remaining(&account).await), (0, 10));
    assert_eq!(chat.write(&[cookie, json, ("Origin", "http://gateway.test")]).await.status, 200);
    assert_eq!(chat.write(&[cookie, json, ("Sec-Fetch-Site", "same-origin")]).await.status, 200);
    assert_eq!(chat.house.remaining(&account).await, 8);
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
    drop(chat.directory);
}
