//! Session tokens that try to be taken for what they are not. Each has its exact answer, nothing is drawn for it, and the upstream
//! sees nothing of it.

mod claims;
mod headers;
mod shapes;

use std::io::ErrorKind;
use std::net::TcpListener;

use metering::Status;
use serde_json::{Value, json};

use crate::house::{Account, Signer};
use crate::sessions::{Chat, claims as good_claims, cookie};

/// What is sent, what it is, and the code and reason of the 401 it must be answered with.
#[derive(Clone)]
pub struct Case {
    what: String,
    token: String,
    code: &'static str,
    reason: &'static str,
}

impl Case {
    fn new(what: impl Into<String>, token: String, reason: &'static str) -> Self {
        let code = if reason == "expired" { "session_expired" } else { "invalid_session" };
        Self { what: what.into(), token, code, reason }
    }
}

/// Who makes the tokens: the honest signer, whose claims would be good, a stranger, and where the stranger publishes keys.
pub struct Forge<'a> {
    signer: &'a Signer,
    good: Value,
    stranger: Signer,
    /// Both keys that the gateway knows.
    published: Value,
    elsewhere: String,
}

impl Forge<'_> {
    fn honest(&self) -> String {
        self.signer.token("one", &self.good)
    }

    /// An honest signature under this header.
    fn under(&self, header: &Value) -> String {
        self.signer.sign(header, &self.good)
    }

    fn alg(&self) -> &'static str {
        self.signer.algorithm()
    }
}

/// A priced write with the cookie, and one of the other places where a session is taken: each in turn. Answers what went wrong.
async fn refused(chat: &Chat, number: usize, case: &Case) -> Option<String> {
    let (session, bearer) = (cookie(&case.token), format!("Bearer {}", case.token));
    let page = [("Cookie", session.as_str()), ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/json")];
    let priced = ("POST", "/chat/say", &page[..]);
    let others = [
        ("POST", "/chat/messages", &page[..]),
        ("GET", "/chat/profile", &page[..1]),
        ("GET", "/chat/history", &page[..1]),
        ("GET", "/chat/credits", &page[..1]),
        ("POST", "/chat/say", &[("Authorization", bearer.as_str())]),
    ];
    for (method, path, lines) in [priced, others[number % others.len()]] {
        let body = if method == "POST" { "{\"respond\":true}" } else { "" };
        let answer = chat.house.gateway.send(method, path, lines, body).await;
        let told = (answer.status, answer.code(), answer.json()["reason"].clone());
        if told != (401, case.code.to_owned(), json!(case.reason)) {
            return Some(format!("{path}, {}: {told:?}, not {}", case.what, case.reason));
        }
    }
    None
}

async fn run(signer: Signer) {
    // Two keys are known, so that a token without a name of its key names none.
    let spare = match signer {
        Signer::Rs256(_) => Signer::rs256(),
        Signer::Es256(_) => Signer::es256(),
        _ => Signer::ed_dsa(),
    };
    let published = json!({ "keys": [signer.jwk("one"), spare.jwk("spare")] });
    let mut chat = Chat::start_with(signer, &published, "").await;
    let account: Account = chat.house.account(Status::Active, 10).await;
    let calls = chat.house.script_calls().await;
    let other_keys = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    other_keys.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}/keys", other_keys.local_addr().unwrap());
    let stranger = if matches!(chat.signer, Signer::Es256(_)) { Signer::es256() } else { Signer::ed_dsa() };
    let forge = Forge { signer: &chat.signer, good: good_claims(&account), stranger, published, elsewhere };
    let cases = [headers::cases(&forge), shapes::cases(&forge), claims::cases(&forge)].concat();
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        wrong.extend(refused(&chat, number, case).await);
    }
    assert!(wrong.is_empty(), "{} of {} were answered otherwise:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let cut =
        format!("GET /chat/profile HTTP/1.1\r\nHost: gateway.test\r\nCookie: {}\0\r\n\r\n", cookie(&forge.honest()));
    assert_eq!(chat.house.gateway.raw(&cut).await.status, 400, "no header line holds a null");
    assert_eq!(chat.house.script_calls().await, calls, "the store was neither read nor written");
    assert_eq!((chat.house.upstream.seen().len(), chat.house.remaining(&account).await), (0, 10));
    assert_eq!(chat.say(&cookie(&forge.honest())).await.status, 200, "the honest one passes");
    let asked = other_keys.accept().map_err(|error| error.kind());
    assert_eq!(asked.err(), Some(ErrorKind::WouldBlock), "a key was asked for where a token said");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_confused_about_rsa_open_nothing() {
    run(Signer::rs256()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_confused_about_elliptic_curves_open_nothing() {
    run(Signer::es256()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_confused_about_edwards_curves_open_nothing() {
    run(Signer::ed_dsa()).await;
}
