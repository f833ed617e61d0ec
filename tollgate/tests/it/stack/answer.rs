//! What a customer was answered.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

pub struct Answer {
    pub status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    /// Whether the body came to its end.
    pub whole: bool,
}

impl Answer {
    pub async fn read(mut response: reqwest::Response) -> Self {
        let (status, headers, mut body) = (response.status().as_u16(), response.headers().clone(), Vec::new());
        let whole = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        Self { status, headers, body, whole }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A header that is a whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name).map(|value| value.parse().unwrap())
    }

    /// The request's id, which is the op of its debit.
    pub fn op(&self) -> &str {
        self.header("request-id").unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Status and code of a rejection: `402 budget_exhausted`; after checking that it is told as a problem.
    pub fn problem(&self) -> String {
        let json = self.json();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!((&json["status"], &json["request_id"]), (&self.status.into(), &self.op().into()), "{self:?}");
        assert!(json["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{self:?}");
        if self.status < 500 {
            assert_eq!(self.header("credits-cost"), None, "a refused request costs nothing: {self:?}");
        }
        format!("{} {}", self.status, json["code"].as_str().unwrap())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.whole { "" } else { " (cut off)" };
        write!(formatter, "{} {:?} {}{whole}", self.status, self.headers, self.text())
    }
}
