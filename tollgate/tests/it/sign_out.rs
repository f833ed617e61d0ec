//! An operator signs people out: the command, and what callers see of it within a second at every gateway.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::cli::operator::Operator;
use crate::stack::{Call, Customer, Plan, Stack, wait_until};

const PROMPT: Duration = Duration::from_secs(1);
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const SESSIONS: &str = "meter.wait_ms_max = 20000\nmeter.op_lifetime_ms = 40000\nsessions.algorithm = \"HS256\"\n\
     sessions.secret = \"0123456789abcdef0123456789abcdef\"\nsessions.issuer = \"id.test\"\nsessions.audience = \"tollgate\"";

async fn stack() -> Stack {
    Stack::with(Plan { gateways: 2, gateway_settings: SESSIONS, ..Plan::default() }).await
}

/// A session of a person, as whoever signs them would make it.
async fn session(stack: &Stack, customer: &Customer, person: &str, version: &Value) -> String {
    let now = stack.now().await.as_u64() / 1_000;
    let claims = json!({
        "iss": "id.test", "aud": "tollgate", "sub": person, "account": customer.account, "iat": now - 60, "exp": now + 600,
        "ver": version,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "HS256" })), part(&claims));
    let mut hash = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    hash.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hash.finalize().into_bytes()))
}

fn everywhere() -> [Call; 3] {
    [Call::chat(), Call::get("/v1/usage"), Call::get("/v1/credits")].map(|call| call.on("browser"))
}

async fn goes_on(stack: &Stack, session: &str) {
    for call in everywhere() {
        for gateway in 0..2 {
            let answer = stack.send(session, call.clone().via(gateway)).await;
            assert_eq!(answer.status, 200, "{call:?}: {answer:?}");
        }
    }
}

async fn is_over(stack: &Stack, session: &str, since: Instant) {
    for call in everywhere() {
        for gateway in 0..2 {
            loop {
                let asked = since.elapsed();
                let answer = stack.send(session, call.clone().via(gateway)).await;
                if answer.status != 200 {
                    assert_eq!(answer.problem(), "401 session_expired");
                    break;
                }
                assert!(asked < PROMPT, "{call:?} after {asked:?}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_session_that_an_operator_ends_is_over_within_a_second_and_stays_so() {
    let mut stack = stack().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(1_000).await;
    let account = ada.account.to_string();
    let (ann, bob) = (session(&stack, &ada, "ann", &json!(0)).await, session(&stack, &ada, "bob", &json!(0)).await);
    goes_on(&stack, &ann).await;
    goes_on(&stack, &bob).await;
    let end = ["session", "end", "--account", &account, "--subject", "ann", "--by", "olga", "--reason", "laptop lost"];
    let ended = operator.asks(&end).json;
    is_over(&stack, &ann, Instant::now()).await;
    goes_on(&stack, &bob).await;
    assert_eq!((&ended["version"], &ended["subject"]), (&json!(1), &json!("ann")));
    let again = session(&stack, &ada, "ann", &ended["version"]).await;
    goes_on(&stack, &again).await;
    let told = "SELECT concat_ws(' ', actor, action, subject, before ->> 'version', after ->> 'version', reason) FROM audit \
                WHERE action = 'sessions_ended'";
    assert_eq!(stack.book.text(told).await, "olga sessions_ended ann 0 1 laptop lost");

    // Redis forgets everything, and is built anew from the book.
    stack.wait_carried().await;
    stack.redis.start_again_empty();
    wait_until("the account is back at both gateways", async || {
        for gateway in 0..2 {
            if stack.send(&bob, Call::chat().on("browser").via(gateway)).await.status != 200 {
                return false;
            }
        }
        true
    })
    .await;
    is_over(&stack, &ann, Instant::now()).await;
    goes_on(&stack, &again).await;
    stack.audit().await;

    let everybody = operator.asks(&["session", "end", "--account", &account]).json;
    let since = Instant::now();
    for session in [&ann, &bob, &again] {
        is_over(&stack, session, since).await;
    }
    assert_eq!((&everybody["version"], &everybody["subject"]), (&json!(2), &json!(null)));
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200, "a key is no session");
    let listed = operator.asks(&["session", "list", "--account", &account]).json;
    assert_eq!(listed, json!({ "account": account, "everybody": 2, "subjects": {} }));
    stack.audit().await;
}

#[tokio::test]
async fn what_ends_no_session_says_why() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let account = stack.customer(1).await.account.to_string();
    let nobody = "acct_00000000000000000000000000000000";
    operator.asks(&["session", "end", "--account", &account, "--version", "5"]);
    assert_eq!(
        operator.asks(&["session", "end", "--account", &account, "--version", "5"]).json["control_version"],
        json!(null)
    );
    for (arguments, exit, code) in [
        (&["session", "end", "--account", &account, "--version", "4"][..], 1, "session_version_lower"),
        (&["session", "end", "--account", &account, "--subject", "ann", "--version", "4"], 1, "session_version_lower"),
        (&["session", "end", "--account", nobody], 1, "account_not_found"),
        (&["session", "list", "--account", nobody], 1, "account_not_found"),
    ] {
        let refused = operator.tries(arguments);
        assert_eq!((refused.exit, &refused.json["error"]["code"]), (exit, &json!(code)), "{arguments:?}: {refused:?}");
    }
    let long = "x".repeat(257);
    for wrong in [
        &["session", "end", "--account", &account, "--subject", ""][..],
        &["session", "end", "--account", &account, "--subject", &long],
        &["session", "end", "--account", &account, "--version", "-1"],
        &["session", "end", "--account", &account, "--version", "9007199254740992"],
        &["session", "end"],
    ] {
        assert_eq!(operator.tries(wrong).exit, 64, "{wrong:?}");
    }
}
