//! Answers kept by `Idempotency-Key`: the same request gets the same answer, another one is refused.

use std::collections::{HashMap, VecDeque};

use axum::http::StatusCode;
use serde_json::Value;

use super::error::ApiError;

const KEPT_MAX: usize = 10_000;

#[derive(Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

#[derive(Default)]
pub struct Answers {
    kept: HashMap<String, (String, Answer)>,
    order: VecDeque<String>,
}

impl Answers {
    /// The answer that was given to this very request before.
    pub fn find(&self, key: &str, request: &str) -> Result<Option<Answer>, ApiError> {
        match self.kept.get(key) {
            None => Ok(None),
            Some((asked, answer)) if asked == request => Ok(Some(answer.clone())),
            Some(_) => Err(ApiError::other_parameters(key)),
        }
    }

    pub fn keep(&mut self, key: String, request: String, answer: Answer) {
        if self.order.len() >= KEPT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.kept.insert(key, (request, answer));
    }
}
