//! The admin listener: `/healthz`, `/readyz`, `/metrics`. Keep it inside.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus::{Encoder, TextEncoder};
use serde_json::json;
use tokio::net::TcpListener;
use tracing::error;

use crate::service::Service;

/// Serves until the service stops.
pub async fn serve(listener: TcpListener, service: Arc<Service>) {
    let stop = service.stop.clone();
    let routes = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(service);
    let served = axum::serve(listener, routes).with_graceful_shutdown(async move { stop.cancelled().await }).await;
    if let Err(error) = served {
        error!("the admin listener ended: {error}");
    }
}

/// Ready: the book fits and answers. Secrets and plans were checked before anything was opened, so they are only told.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    let (fits, answers) = (service.metrics.book_fits.get() == 1, service.metrics.book_answers.get() == 1);
    let stopping = service.stop.is_cancelled();
    let ready = fits && answers && !stopping;
    let says = match (stopping, fits, answers) {
        (true, ..) => "stopping",
        (false, false, _) => "the book is not there",
        (false, true, false) => "the book does not answer",
        (false, true, true) => "ready",
    };
    let parts = &service.parts;
    let answer = json!({
        "ready": ready, "says": says, "book": fits && answers, "mode": parts.mode_name(),
        "secrets": parts.secrets_count, "plans": parts.plans.iter().count(), "stripe": parts.stripe.is_some(),
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(answer)).into_response()
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&service.metrics.registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            error!("metrics can't be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
