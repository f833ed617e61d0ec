//! The admin listener: `/healthz`, `/readyz`, `/metrics`. Keep it inside.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

use crate::service::Service;

/// Serves until the service stops.
pub async fn serve(listener: TcpListener, service: Arc<Service>) {
    let (registry, stop) = (service.metrics.registry.clone(), service.stop.clone());
    let routes = Router::new().route("/readyz", get(ready)).with_state(service);
    frame::admin::serve(listener, routes, registry, stop).await;
}

/// Ready: the book fits and answers. A mail server that is away is told, and no reason to restart anything: mails wait.
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
    let (metrics, notices) = (&service.metrics, service.settings.notices);
    let answer = json!({
        "ready": ready, "says": says, "book": fits && answers, "server_answers": metrics.server_answers.get() == 1,
        "queued": metrics.queued.get(), "low_balance": notices.low_balance, "lifecycle": notices.lifecycle,
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(answer)).into_response()
}
