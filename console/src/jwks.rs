//! Fetching the keys that sessions are signed with, where they are published at a URL.

use std::time::Duration;

use anyhow::{Context, ensure};
use axum::body::Bytes;
use axum::http::header::ACCEPT;
use axum::http::{Request, StatusCode};
use config::sessions::JwksUrl;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sessions::Fetch;

/// Asks by HTTP/1.1, follows nothing, and verifies certificates by the public authorities.
struct Fetcher(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

impl Fetcher {
    fn new() -> Self {
        let connector =
            hyper_rustls::HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// The body of an answer with status 200, within a time and a size.
    async fn get(&self, url: &str, wait: Duration, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
        tokio::time::timeout(wait, self.ask(url, bytes_max)).await.context("it did not answer in time")?
    }

    async fn ask(&self, url: &str, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
        let request = Request::get(url).header(ACCEPT, "application/json").body(Empty::new())?;
        let answer = self.0.request(request).await?;
        ensure!(answer.status() == StatusCode::OK, "it answered {}", answer.status());
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("its answer could not be read: {error}"))?;
        Ok(body.to_bytes().to_vec())
    }
}

/// One publisher, within the time and size that the settings set.
pub struct Publisher {
    fetcher: Fetcher,
    url: String,
    wait: Duration,
    bytes_max: usize,
}

impl Publisher {
    pub fn of(url: &JwksUrl) -> Self {
        let wait = Duration::from_millis(url.ms_max);
        let address = format!("{}{}", url.address, url.path);
        Self { fetcher: Fetcher::new(), url: address, wait, bytes_max: url.bytes_max }
    }
}

impl Fetch for Publisher {
    async fn fetch(&self) -> anyhow::Result<Vec<u8>> {
        self.fetcher.get(&self.url, self.wait, self.bytes_max).await
    }
}
