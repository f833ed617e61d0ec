//! The keys that sessions are signed with: where they come from, and how they change.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use metering::Status;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::house::{Account, GatewayProcess, House, Signer, Upstream, now_seconds, session_settings};

/// Whoever publishes keys.
struct Publisher {
    port: u16,
    answer: Arc<Mutex<String>>,
    /// Ends with this.
    _tasks: JoinSet<()>,
}

impl Publisher {
    async fn start(keys: &Value) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(ok(&keys.to_string())));
        let told = answer.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.read_buf(&mut Vec::new()).await.ok();
                let answer = told.lock().unwrap().clone();
                if answer.is_empty() {
                    silent.push(stream);
                } else {
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            }
        });
        Self { port, answer, _tasks: tasks }
    }

    fn says(&self, answer: String) {
        *self.answer.lock().unwrap() = answer;
    }

    fn settings(&self) -> String {
        format!(
            "jwks_url = \"http://127.0.0.1:{}/keys?x=1\"\njwks_seconds = 1\njwks_ms_max = 400\njwks_bytes_max = 5000",
            self.port
        )
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn keys(jwks: &[Value]) -> Value {
    json!({ "keys": jwks })
}

fn token(signer: &Signer, kid: &str, account: &Account) -> String {
    let now = now_seconds();
    let claims = json!({
        "iss": "id.test", "aud": ["gateway.test"], "sub": "ann", "exp": now + 600, "iat": now, "account": account.id.to_string(),
    });
    signer.token(kid, &claims)
}

async fn status(house: &House, token: &str) -> u16 {
    let lines = [("Authorization", &*format!("Bearer {token}"))];
    house.gateway.send("GET", "/chat/history", &lines, "").await.status
}

async fn until_status(house: &House, token: &str, wanted: u16) {
    let started = Instant::now();
    loop {
        let status = status(house, token).await;
        if status == wanted {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{status}, not {wanted}\n{}", house.gateway.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_algorithm_opens_with_its_own_key() {
    for signer in [Signer::ed_dsa(), Signer::es256(), Signer::rs256()] {
        let publisher = Publisher::start(&keys(&[signer.jwk("one")])).await;
        let mut house = House::start_with(&session_settings(signer.algorithm(), &publisher.settings())).await;
        let account = house.account(Status::Active, 1).await;
        until_status(&house, &token(&signer, "one", &account), 200).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_opens_for_development() {
    let secret = "0123456789abcdef0123456789abcdef";
    let mut house = House::start_with(&session_settings("HS256", &format!("secret = \"{secret}\""))).await;
    let account = house.account(Status::Active, 1).await;
    let claims = json!({
        "iss": "id.test", "aud": "gateway.test", "sub": "ann", "exp": now_seconds() + 600, "iat": now_seconds(),
        "account": account.id.to_string(),
    });
    let header = json!({ "typ": "JWT", "alg": "HS256" });
    assert_eq!(status(&house, &Signer::Hs256(secret.into()).sign(&header, &claims)).await, 200);
    assert_eq!(status(&house, &Signer::Hs256(vec![0; 32]).sign(&header, &claims)).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_keys_is_read_again_when_it_changes_and_kept_when_it_is_broken() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("jwks.json");
    let (old, new) = (Signer::ed_dsa(), Signer::ed_dsa());
    std::fs::write(&file, keys(&[old.jwk("old")]).to_string()).unwrap();
    let mut house = House::start_with(&session_settings("EdDSA", &format!("jwks_file = \"{}\"", file.display()))).await;
    let account = house.account(Status::Active, 1).await;
    let (old_token, new_token) = (token(&old, "old", &account), token(&new, "new", &account));
    assert_eq!((status(&house, &old_token).await, status(&house, &new_token).await), (200, 401));
    std::fs::write(&file, keys(&[old.jwk("old"), new.jwk("new")]).to_string()).unwrap();
    until_status(&house, &new_token, 200).await;
    assert_eq!(status(&house, &old_token).await, 200, "both hold while keys change");
    std::fs::write(&file, "{ half a file").unwrap();
    let warned = || house.gateway.log().contains("stay as they were");
    crate::house::until("the broken file is told", warned).await;
    assert_eq!(status(&house, &new_token).await, 200);
    std::fs::write(&file, keys(&[new.jwk("new")]).to_string()).unwrap();
    until_status(&house, &old_token, 401).await;
    assert_eq!(status(&house, &new_token).await, 200, "a session that was remembered under the old key is not");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_url_come_in_the_background_and_change() {
    let (old, new) = (Signer::ed_dsa(), Signer::ed_dsa());
    let publisher = Publisher::start(&keys(&[])).await;
    let mut house = House::start_with(&session_settings("EdDSA", &publisher.settings())).await;
    let account = house.account(Status::Active, 1).await;
    let (old_token, new_token) = (token(&old, "old", &account), token(&new, "new", &account));
    let lines = [("Authorization", &*format!("Bearer {old_token}"))];
    let answer = house.gateway.send("GET", "/chat/history", &lines, "").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "sessions_unavailable"), "no key is known yet");
    assert_eq!(answer.header("Retry-After"), Some("1"));
    publisher.says(ok(&keys(&[old.jwk("old")]).to_string()));
    until_status(&house, &old_token, 200).await;
    // Neither an error, nor a redirect, nor a flood changes what is known.
    for answer in [
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{}/\r\nContent-Length: 0\r\n\r\n", publisher.port),
        ok(&keys(&[new.jwk(&"n".repeat(6_000))]).to_string()),
    ] {
        publisher.says(answer);
        let told = house.gateway.log().matches("gave none").count();
        crate::house::until("it is told", || house.gateway.log().matches("gave none").count() > told + 1).await;
        assert_eq!(status(&house, &old_token).await, 200);
    }
    publisher.says(ok(&keys(&[new.jwk("new")]).to_string()));
    until_status(&house, &new_token, 200).await;
    assert_eq!(status(&house, &old_token).await, 401);
    assert!(!house.gateway.log().contains("x=1"), "a query may hold a credential");
    // Nor does silence, for longer than it may last.
    publisher.says(String::new());
    crate::house::until("it is told", || house.gateway.log().contains("did not answer in time")).await;
    assert_eq!(status(&house, &new_token).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_its_file_of_keys_does_not_start() {
    let upstream = Upstream::start().await;
    let settings = session_settings("EdDSA", "jwks_file = \"absent.json\"");
    let mut gateway = GatewayProcess::start("redis://127.0.0.1:1", &upstream.url(), &settings);
    let ended = gateway.until_gone(Duration::from_secs(10)).await.expect("it ends");
    assert!(!ended.success());
    assert!(gateway.log().contains("absent.json"), "{}", gateway.log());
}
