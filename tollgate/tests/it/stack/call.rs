//! One request of a customer.

use std::fmt::Display;

use reqwest::Method;

use super::{Answer, Stack};

pub const CHAT: &str = r#"{"messages":[{"role":"user","content":"hello"}]}"#;
pub const STREAM: &str = r#"{"stream":true,"messages":[{"role":"user","content":"hello"}]}"#;

#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    gateway: usize,
}

impl Call {
    fn new(method: Method, path: &str, body: &str) -> Self {
        Self { method, path: path.to_owned(), headers: Vec::new(), body: body.to_owned(), gateway: 0 }
    }

    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path, "")
    }

    pub fn post(path: &str, body: &str) -> Self {
        Self::new(Method::POST, path, body)
    }

    /// A chat message that is answered as JSON: one credit.
    pub fn chat() -> Self {
        Self::post("/v1/messages", CHAT)
    }

    /// A chat message that is answered as a stream of events: one credit.
    pub fn stream() -> Self {
        Self::post("/v1/messages", STREAM)
    }

    /// As many credits as the batch is large.
    pub fn batch(size: impl Display) -> Self {
        Self::post("/v1/batch", "{}").header("batch-size", size)
    }

    pub fn header(mut self, name: &'static str, value: impl Display) -> Self {
        self.headers.push((name, format!("{value}")));
        self
    }

    /// With a fault of the upstream.
    pub fn fault(self, fault: &str) -> Self {
        self.header("pretend-fault", fault)
    }

    /// On one of the tests' own routes, which are told apart by host.
    pub fn on(self, route: &str) -> Self {
        self.header("host", format!("{route}.test"))
    }

    /// Through the gateway of this number.
    pub fn via(mut self, gateway: usize) -> Self {
        self.gateway = gateway;
        self
    }

    pub fn request(&self, http: &reqwest::Client, gateways: &[String], key: Option<&str>) -> reqwest::RequestBuilder {
        let url = format!("{}{}", gateways[self.gateway % gateways.len()], self.path);
        let mut request = http.request(self.method.clone(), url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

impl Stack {
    /// Sends it with a key, and reads the answer to its end.
    pub async fn send(&self, key: &str, call: Call) -> Answer {
        Answer::read(call.request(&self.http, &self.urls(), Some(key)).send().await.unwrap()).await
    }

    /// Sends it without a credential.
    pub async fn send_bare(&self, call: Call) -> Answer {
        Answer::read(call.request(&self.http, &self.urls(), None).send().await.unwrap()).await
    }

    pub fn urls(&self) -> Vec<String> {
        self.gateways.iter().map(super::Gateway::url).collect()
    }
}
