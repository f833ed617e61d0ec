//! The pretend upstream of the stack, and what it saw.

use metering::testing::free_port;
use serde_json::Value;
use testing::{Ground, Program};

use super::wait_until;

pub struct Upstream {
    _program: Program,
    url: String,
    http: reqwest::Client,
}

/// One request as it arrived.
pub struct Seen {
    pub target: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    /// Every value of a header, in the order they came.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }
}

impl Upstream {
    pub fn start(ground: &Ground) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{address}");
        let arguments = vec!["--listen".to_owned(), address];
        let named = ("pretend-upstream", "upstream");
        let program = ground.program(named, arguments, url.clone()).started();
        Self { _program: program, url, http: ground.http.clone() }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub async fn wait_ready(&self) {
        wait_until("the upstream answers", async || self.report().await.is_some()).await;
    }

    /// How many requests came.
    pub async fn count(&self) -> u64 {
        self.report().await.unwrap()["count"].as_u64().unwrap()
    }

    /// How many of the last 200 requests are this one.
    pub async fn times_sent(&self, request_id: &str) -> usize {
        self.last().await.iter().filter(|seen| seen.all("request-id") == [request_id]).count()
    }

    /// The last requests, oldest first.
    pub async fn last(&self) -> Vec<Seen> {
        let report = self.report().await.unwrap();
        report["requests"].as_array().unwrap().iter().map(seen).collect()
    }

    async fn report(&self) -> Option<Value> {
        self.http.get(format!("{}/_seen", self.url)).send().await.ok()?.json().await.ok()
    }
}

fn seen(request: &Value) -> Seen {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = request["headers"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1])));
    Seen { target: text(&request["target"]), headers: headers.collect() }
}
