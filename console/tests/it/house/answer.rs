//! What somebody was answered.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

pub struct Answer {
    pub status: u16,
    headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and code of a refusal, after checking that it is told as a problem: `403 role_missing`.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status, "{self:?}");
        assert!(json["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{self:?}");
        assert!(json["title"].as_str().is_some_and(|title| title.len() > 3), "{self:?}");
        format!("{} {}", self.status, json["code"].as_str().unwrap())
    }

    /// Status and code of a refusal that is shown as a page: `403 role_missing`.
    #[track_caller]
    pub fn refused_page(&self) -> String {
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"), "{self:?}");
        let code = self.text.split_once("Code: <code>").and_then(|(_, rest)| rest.split_once("</code>"));
        let (code, _) = code.unwrap_or_else(|| panic!("a page that names its code: {self:?}"));
        format!("{} {code}", self.status)
    }

    /// Where a form has led to.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location").unwrap()
    }

    /// Whether a page says this, wherever its lines break.
    pub fn says(&self, words: &str) -> bool {
        let flat = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        flat.contains(words)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}\n{}", self.status, self.headers, self.text)
    }
}
