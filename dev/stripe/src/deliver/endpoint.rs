//! Whoever wants events: an address on this machine, the secrets that sign for it, and which kinds it wants.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::world::ids;

pub const ENDPOINTS_MAX: usize = 16;

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    #[serde(default = "fresh_id")]
    pub id: String,
    pub url: String,
    /// The first is the newest; all of them sign, as while a secret is rotated. Shown to nobody.
    #[serde(skip_serializing)]
    pub secrets: Vec<String>,
    /// The version that events claim, where it is another than the pretended one.
    pub api_version: Option<String>,
    /// Kinds of events; all of them where none is named.
    #[serde(default)]
    pub kinds: Vec<String>,
}

fn fresh_id() -> String {
    ids::part("we_")
}

impl Endpoint {
    pub fn new(url: String, secrets: Vec<String>) -> Endpoint {
        Endpoint { id: fresh_id(), url, secrets, api_version: None, kinds: Vec::new() }
    }

    /// A test double talks to this machine only.
    pub fn check(&self) -> Result<(), String> {
        let url = reqwest::Url::parse(&self.url).map_err(|err| format!("{}: {err}", self.url))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if url.scheme() != "http" || !here {
            return Err(format!("{}: deliveries go to http:// on loopback only", self.url));
        }
        if self.secrets.is_empty() {
            return Err("an endpoint has at least one secret".to_owned());
        }
        Ok(())
    }

    pub fn wants(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)
    }
}
