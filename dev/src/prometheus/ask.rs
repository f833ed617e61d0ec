//! What is asked of a Prometheus that runs.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::http::Line;

pub struct Prometheus {
    pub port: u16,
}

/// A rule as it was loaded.
#[derive(Deserialize)]
pub struct Rule {
    pub name: String,
    pub query: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub health: String,
    #[serde(default, rename = "lastError")]
    pub error: String,
    #[serde(default)]
    pub labels: Value,
    #[serde(default)]
    pub annotations: Value,
}

impl Rule {
    pub fn is_alert(&self) -> bool {
        self.kind == "alerting"
    }
}

impl Prometheus {
    /// How many series a query is answered with.
    pub fn query(&self, query: &str) -> Result<usize> {
        let data = self.get(&format!("/api/v1/query?query={}", encoded(query)))?;
        Ok(data["result"].as_array().map_or(0, Vec::len))
    }

    /// Every metric that it has.
    pub fn metrics(&self) -> Result<BTreeSet<String>> {
        serde_json::from_value(self.get("/api/v1/label/__name__/values")?).context("reading names of metrics")
    }

    pub fn rules(&self) -> Result<Vec<Rule>> {
        let data = self.get("/api/v1/rules")?;
        let groups = data["groups"].as_array().context("rules come in groups")?;
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten());
        rules.map(|rule| serde_json::from_value(rule.clone()).context("reading a rule")).collect()
    }

    /// The alerts that fire.
    pub fn firing(&self) -> Result<BTreeSet<String>> {
        let data = self.get("/api/v1/alerts")?;
        let alerts = data["alerts"].as_array().into_iter().flatten();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        Ok(firing.filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect())
    }

    fn get(&self, path: &str) -> Result<Value> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        let told = Line::to(self.port).call(request.as_bytes());
        let mut answer: Value = serde_json::from_slice(&told.body).unwrap_or_default();
        if told.status != 200 || answer["status"] != "success" {
            bail!("Prometheus answers {}: {}", told.status, answer["error"].as_str().unwrap_or("no word why"));
        }
        Ok(answer["data"].take())
    }
}

/// As it stands in a URL.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() {
            url.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_so_that_it_arrives_as_it_is() {
        assert_eq!(encoded("up{a=\"ä\"} > 0\n+1"), "up%7Ba%3D%22%C3%A4%22%7D%20%3E%200%0A%2B1");
    }
}
