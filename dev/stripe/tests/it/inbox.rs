//! A receiver of deliveries that checks every signature and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub const SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";

#[derive(Default)]
struct Letters {
    events: Vec<Value>,
    signatures: Vec<String>,
    /// The next answers; 200 once they are used up.
    answers: VecDeque<u16>,
}

pub struct Inbox {
    pub url: String,
    letters: Arc<Mutex<Letters>>,
    /// Stops listening when the inbox is dropped.
    _listening: JoinSet<()>,
}

impl Inbox {
    pub async fn open() -> Inbox {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/webhooks/stripe", listener.local_addr().expect("an address"));
        let letters = Arc::<Mutex<Letters>>::default();
        let router = Router::new().route("/webhooks/stripe", post(receive)).with_state(Arc::clone(&letters));
        let mut listening = JoinSet::new();
        listening.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Inbox { url, letters, _listening: listening }
    }

    pub fn answer_next(&self, statuses: &[u16]) {
        self.letters().answers.extend(statuses);
    }

    /// The events that came since this was last asked, in the order in which they came.
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.letters().events)
    }

    pub fn signatures(&self) -> Vec<String> {
        self.letters().signatures.clone()
    }

    fn letters(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().expect("nobody panicked")
    }
}

async fn receive(State(letters): State<Arc<Mutex<Letters>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers["stripe-signature"].to_str().expect("text").to_owned();
    let mut letters = letters.lock().expect("nobody panicked");
    if !is_signed(&header, &body, SECRET) {
        return StatusCode::BAD_REQUEST;
    }
    letters.signatures.push(header);
    letters.events.push(serde_json::from_slice(&body).expect("JSON"));
    let status = letters.answers.pop_front().unwrap_or(200);
    StatusCode::from_u16(status).expect("a status")
}

/// Whether any of the header's signatures is the secret's.
pub fn is_signed(header: &str, body: &[u8], secret: &str) -> bool {
    let parts: Vec<(&str, &str)> = header.split(',').filter_map(|part| part.split_once('=')).collect();
    let Some((_, at)) = parts.iter().find(|(name, _)| *name == "t") else { return false };
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    parts.iter().any(|(name, value)| *name == "v1" && *value == hex)
}
