//! A server that answers as the test says and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use config::Service;
use payments::Stripe;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

pub const KEY: &str = "sk_test_0123456789secret";

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// Of which types, where it asked for events.
    pub types: Vec<String>,
    pub form: BTreeMap<String, String>,
    pub headers: HeaderMap,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

pub enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    /// None at all.
    Hang,
}

type Rule = Box<dyn Fn(&Asked) -> Answer + Send + Sync>;

struct Inner {
    rule: Rule,
    asked: Mutex<Vec<Asked>>,
}

/// The server; it ends with the test's runtime.
#[derive(Clone)]
pub struct Pretend {
    pub url: String,
    inner: Arc<Inner>,
}

impl Pretend {
    pub async fn start(rule: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner { rule: Box::new(rule), asked: Mutex::new(Vec::new()) });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        TaskTracker::new().spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// What it was asked so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap().clone()
    }

    pub fn stripe(&self) -> Stripe {
        Stripe::new(&settings(&self.url, 5_000)).unwrap().unwrap()
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: fields(uri.query().unwrap_or_default()).collect(),
        types: fields(uri.query().unwrap_or_default())
            .filter_map(|(name, value)| (name == "types[]").then_some(value))
            .collect(),
        form: fields(std::str::from_utf8(&body).unwrap()).collect(),
        headers,
    };
    inner.asked.lock().unwrap().push(asked.clone());
    match (inner.rule)(&asked) {
        Answer::Json(status, body) => (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response(),
        Answer::Text(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Answer::Hang => std::future::pending().await,
    }
}

fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value)))
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        let hex = |digit: Option<u8>| char::from(digit.unwrap()).to_digit(16).unwrap();
        let plain = if byte == b'%' { u8::try_from(hex(rest.next()) * 16 + hex(rest.next())).unwrap() } else { byte };
        bytes.push(plain);
    }
    String::from_utf8(bytes).unwrap()
}

/// Settings as an operator would write them, for this server.
pub fn settings(url: &str, timeout_ms: u64) -> config::Stripe {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "[stripe]\napi_url = \"{url}\"\napi_key = \"{KEY}\"\ntimeout_ms = {timeout_ms}\n").unwrap();
    config::load::<config::tollgate::Settings>(Service::Tollgate, Some(file.path())).unwrap().stripe
}

/// An error as Stripe writes it.
pub fn error(status: u16, kind: &str, message: &str) -> Answer {
    Answer::Json(status, json!({ "error": { "type": kind, "message": message } }))
}

/// A list as Stripe writes it, with all there is.
pub fn list(data: &[Value]) -> Answer {
    Answer::Json(200, json!({ "object": "list", "data": data, "has_more": false, "url": "/v1/x" }))
}

pub fn missing() -> Answer {
    error(404, "invalid_request_error", "No such thing")
}
