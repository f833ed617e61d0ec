//! One request of somebody.

use std::fmt::Display;

use reqwest::Method;
use serde_json::Value;

use super::{Answer, House, Person};

pub struct Ask(reqwest::RequestBuilder);

impl Ask {
    /// With this person's session, in the cookie that browsers send.
    pub fn of(self, person: &Person) -> Self {
        self.header("cookie", format!("__Host-tollgate-session={}", person.session))
    }

    pub fn header(self, name: &str, value: impl Display) -> Self {
        Self(self.0.header(name, value.to_string()))
    }

    pub fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    pub fn body(self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.header("content-type", kind).body(body))
    }

    /// As a browser sends a form of a page of ours.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.header("sec-fetch-site", "same-origin").body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    pub async fn send(self) -> Answer {
        self.try_send().await.unwrap()
    }

    /// To somebody who may be gone.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        Ok(Answer::read(self.0.send().await?).await)
    }
}

/// As forms and queries encode a value.
pub fn encoded(value: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(letter).collect()
}

impl House {
    /// A request without anything; `path` with its query.
    pub fn ask(&self, method: Method, path: &str) -> Ask {
        Ask(self.http.request(method, format!("{}{path}", self.url)))
    }

    pub async fn get(&self, person: &Person, path: &str) -> Answer {
        self.ask(Method::GET, path).of(person).send().await
    }

    /// Sends a form of a page.
    pub async fn form(&self, person: &Person, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask(Method::POST, path).of(person).form(fields).send().await
    }

    pub async fn post(&self, person: &Person, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path).of(person).json(body).send().await
    }

    pub async fn put(&self, person: &Person, path: &str, body: &Value) -> Answer {
        self.ask(Method::PUT, path).of(person).json(body).send().await
    }
}
