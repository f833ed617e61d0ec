//! `POST /v1/messages`: a chat that repeats what it was told, as JSON, or as a stream with `"stream": true`.
//! `POST /chat/messages`: the same for a page, which may leave a message without wanting a reply. `GET /chat`: where that page would be.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use crate::answer;
use crate::fault::Kind;

/// The request header that shapes a stream: `chunks=20, gap=50` (milliseconds).
const SHAPE: &str = "pretend-stream";

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Pretend chat</title><h1>Pretend chat</h1>\
    <p>The chat app would be here. <a href=\"/billing\">Billing</a></p>";

const CHUNKS_MAX: usize = 100_000;
const GAP: Duration = Duration::from_millis(120);

pub async fn messages(Extension(kind): Extension<Kind>, headers: HeaderMap, body: Bytes) -> Response {
    // A caller's broken JSON is answered like any chat server would, so that a 4xx of the upstream can be seen.
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, "the pretend upstream reads JSON only\n").into_response();
    };
    let text = reply(&request);
    if request["stream"] == true {
        let words: Vec<&str> = text.split_inclusive(' ').collect();
        let (chunks, gap) = shape(&headers, words.len());
        let events = (0..chunks).map(|index| event(words.get(index).copied().unwrap_or("and so on "))).collect();
        return answer::events(events, gap, kind);
    }
    let body = json!({ "id": "msg_pretend", "role": "assistant", "content": text, "received_bytes": body.len() });
    answer::json(&body, kind)
}

/// Replies when a price was drawn for it. Whether the body wants a reply is the gateway's to read: that is what was paid for.
pub async fn room(kind: Extension<Kind>, headers: HeaderMap, body: Bytes) -> Response {
    if headers.get("tollgate-price-drawn").is_some_and(|drawn| drawn != "0") {
        return messages(kind, headers, body).await;
    }
    answer::json(&json!({ "id": "msg_pretend", "stored": true, "received_bytes": body.len() }), kind.0)
}

/// Where "Back to chat" leads.
pub async fn page() -> Html<&'static str> {
    Html(PAGE)
}

fn event(text: &str) -> String {
    format!("data: {}\n\n", json!({ "text": text }))
}

fn reply(request: &Value) -> String {
    let told = request["messages"].as_array().and_then(|messages| messages.last()?["content"].as_str());
    format!(
        "You said: {}. I am a pretend upstream and know nothing else.",
        told.unwrap_or("nothing").trim_end_matches('.')
    )
}

fn shape(headers: &HeaderMap, chunks: usize) -> (usize, Duration) {
    let text = headers.get(SHAPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut shape = (chunks, GAP);
    for part in text.split(',').filter_map(|part| part.trim().split_once('=')) {
        match part {
            ("chunks", number) => shape.0 = number.parse().unwrap_or(chunks).min(CHUNKS_MAX),
            ("gap", ms) => shape.1 = ms.parse().map_or(GAP, Duration::from_millis),
            _ => {}
        }
    }
    shape
}
