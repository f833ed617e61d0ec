//! What this server saw, for tests that ask what reached the upstream: `GET /_seen`, forgotten by `DELETE /_seen`.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::Request;
use serde_json::{Value, json};

/// How many requests are remembered; all are counted.
const REMEMBERED: usize = 200;

#[derive(Default)]
pub struct Seen(Mutex<Log>);

#[derive(Default)]
struct Log {
    count: u64,
    last: VecDeque<Value>,
}

impl Seen {
    pub fn record(&self, request: &Request) {
        // Pairs in the order they came: a header sent twice must be seen twice.
        let headers: Vec<[String; 2]> = request
            .headers()
            .iter()
            .map(|(name, value)| [name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()])
            .collect();
        let mut log = self.lock();
        log.count += 1;
        let entry = json!({
            "number": log.count,
            "method": request.method().as_str(),
            "target": request.uri().to_string(),
            "headers": headers,
        });
        if log.last.len() == REMEMBERED {
            log.last.pop_front();
        }
        log.last.push_back(entry);
    }

    /// The count of all requests, and the last ones, oldest first.
    pub fn report(&self) -> Value {
        let log = self.lock();
        json!({ "count": log.count, "requests": log.last })
    }

    pub fn clear(&self) {
        *self.lock() = Log::default();
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        // A panic between two fields can only miscount by one, which no test would trust anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
