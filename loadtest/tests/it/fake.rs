//! A server that answers as Tollgate does, on a thread of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// What each account begins with.
pub const CREDITS: u64 = 1_000_000;

/// How it misbehaves.
#[derive(Clone, Default)]
pub struct Manners {
    /// From so long after the first call, nothing is answered for so long.
    pub stands_still: Option<(Duration, Duration)>,
    /// Drawn beyond what callers are told, for each call.
    pub draws_secretly: u64,
    /// Streams end without their last event.
    pub cuts_streams: bool,
    /// Each answer ends its connection.
    pub closes: bool,
}

pub struct Fake {
    pub url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    manners: Manners,
    calls: AtomicU64,
    first: Mutex<Option<Instant>>,
    spent: Mutex<BTreeMap<String, u64>>,
}

impl Fake {
    pub fn start(manners: Manners) -> Fake {
        let seen = Arc::new(Seen { manners, ..Seen::default() });
        let router = Router::new()
            .route("/v1/messages", post(messages))
            .route("/v1/usage", get(async || Json(json!({}))))
            .route("/v1/credits", get(credits))
            .route("/metrics", get(metrics))
            .with_state(Arc::clone(&seen));
        let (tell, told) = std::sync::mpsc::channel::<SocketAddr>();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Fake { url: format!("http://{}", told.recv().unwrap()), seen }
    }

    /// A port on which nobody listens.
    pub fn nobody() -> Fake {
        Fake { url: "http://127.0.0.1:1".to_owned(), seen: Arc::default() }
    }

    /// Calls of `/v1/messages` so far.
    pub fn calls(&self) -> u64 {
        self.seen.calls.load(Ordering::Relaxed)
    }
}

fn key(headers: &HeaderMap) -> String {
    headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned()
}

async fn messages(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> Response {
    let number = seen.calls.fetch_add(1, Ordering::Relaxed);
    let first = *seen.first.lock().unwrap().get_or_insert_with(Instant::now);
    if let Some((after, lasts)) = seen.manners.stands_still.filter(|(after, _)| first.elapsed() >= *after) {
        tokio::time::sleep_until((first + after + lasts).into()).await;
    }
    let id = [("request-id", format!("01a207da-9ea2-723b-819e-{number:012x}"))];
    if key(&headers).starts_with("tg_test_nobody") {
        let problem = [("content-type", "application/problem+json")];
        return (StatusCode::UNAUTHORIZED, id, problem, json!({ "code": "invalid_api_key" }).to_string())
            .into_response();
    }
    *seen.spent.lock().unwrap().entry(key(&headers)).or_default() += 1 + seen.manners.draws_secretly;
    let cost = [("credits-cost", "1")];
    if serde_json::from_slice::<Value>(&body).unwrap()["stream"] == true {
        let end = if seen.manners.cuts_streams { "" } else { "event: done\ndata: [DONE]\n\n" };
        let text = format!("data: one\n\ndata: two\n\n{end}");
        return (id, cost, [("content-type", "text/event-stream")], text).into_response();
    }
    let mut answer = (id, cost, Json(json!({ "role": "assistant" }))).into_response();
    if seen.manners.closes {
        answer.headers_mut().insert("connection", "close".parse().unwrap());
    }
    answer
}

async fn credits(State(seen): State<Arc<Seen>>, headers: HeaderMap) -> Json<Value> {
    let spent = seen.spent.lock().unwrap().get(&key(&headers)).copied().unwrap_or(0);
    Json(json!({ "remaining": CREDITS - spent }))
}

async fn metrics(State(seen): State<Arc<Seen>>) -> String {
    let calls = seen.calls.load(Ordering::Relaxed);
    let name = "tollgate_gateway_debit_duration_seconds";
    format!(
        "{name}_bucket{{le=\"0.001\"}} {calls}\n{name}_bucket{{le=\"+Inf\"}} {calls}\n{name}_sum 1\n{name}_count {calls}\n\
         tollgate_sync_backlog_events{{shard=\"0\"}} 5\n"
    )
}
