//! The admin listener: whether the gateway lives, whether it can do its job, and its metrics.

use std::sync::Arc;

use async_trait::async_trait;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use pingora::apps::http_app::ServeHttp;
use pingora::protocols::http::ServerSession;
use serde_json::json;

use crate::key_cache::KeyCache;
use crate::metrics::Metrics;
use crate::watch::Health;

pub struct Admin {
    pub metrics: Arc<Metrics>,
    pub health: Arc<Health>,
    pub keys: KeyCache,
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let header = session.req_header();
        match (header.method.as_str(), header.uri.path()) {
            ("GET", "/healthz") => answer(StatusCode::OK, "text/plain", b"ok\n".to_vec()),
            ("GET", "/readyz") => self.readyz(),
            ("GET", "/metrics") => {
                self.metrics.key_cache_entries.set(i64::try_from(self.keys.len()).unwrap_or(i64::MAX));
                answer(StatusCode::OK, "text/plain; version=0.0.4", self.metrics.text())
            }
            _ => answer(StatusCode::NOT_FOUND, "text/plain", b"/healthz, /readyz, /metrics\n".to_vec()),
        }
    }
}

impl Admin {
    fn readyz(&self) -> Response<Vec<u8>> {
        let problems = self.health.problems();
        let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let body = json!({ "ready": problems.is_empty(), "problems": problems });
        answer(status, "application/json", body.to_string().into_bytes())
    }
}

fn answer(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Vec<u8>> {
    let length = body.len();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    response
}
