//! The last requests of `/v1`, for tests that ask what was asked, with which key, and how often.

use std::collections::VecDeque;

use serde_json::{Value, json};

const REMEMBERED: usize = 500;

#[derive(Default)]
pub struct Seen {
    count: u64,
    last: VecDeque<Value>,
}

impl Seen {
    pub fn record(&mut self, request: Value) {
        self.count += 1;
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(request);
    }

    pub fn report(&self) -> Value {
        json!({ "count": self.count, "requests": self.last })
    }

    pub fn clear(&mut self) {
        *self = Seen::default();
    }
}
