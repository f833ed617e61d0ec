//! The keys of sessions, asked of whoever publishes them.

use std::time::Duration;

use config::sessions::JwksUrl;
use sessions::Fetch;

use crate::own_request::{Ask, Endpoint};

pub struct Jwks {
    publisher: Endpoint,
    bytes_max: usize,
}

impl Jwks {
    pub fn at(url: &JwksUrl) -> Self {
        let publisher = Endpoint::new(url.address.clone(), url.path.clone(), Duration::from_millis(url.ms_max));
        Self { publisher, bytes_max: url.bytes_max }
    }
}

impl Fetch for Jwks {
    async fn fetch(&self) -> anyhow::Result<Vec<u8>> {
        let ask = Ask {
            method: "GET",
            line: ("Accept", "application/json"),
            body: None,
            answer_bytes_max: self.bytes_max,
            too_long: "its answer is larger than sessions.jwks_bytes_max",
        };
        self.publisher.ask(ask).await
    }
}
