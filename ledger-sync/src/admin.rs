//! The admin listener: `/healthz`, `/readyz`, `/metrics`, and `/journal`, where gateways post. Keep it inside.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

use crate::journal;
use crate::service::Service;

/// Serves until the service stops.
pub async fn serve(listener: TcpListener, service: Arc<Service>) {
    let (registry, stop) = (service.metrics.registry.clone(), service.stop.clone());
    let routes = Router::new().route("/readyz", get(ready)).route("/journal", post(journal::take)).with_state(service);
    frame::admin::serve(listener, routes, registry, stop).await;
}

/// Ready: the book answers, and every shard we own is certified.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    let uncertified = service.metrics.uncertified();
    let (book, heartbeat) = (service.metrics.book_ready.get() == 1, service.metrics.heartbeat_ok.get() == 1);
    let ready = book && heartbeat && uncertified.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let installing = service.metrics.installs();
    let least = installing.values().min().copied();
    let says = match least {
        _ if ready => "ready".to_owned(),
        Some(percent) => format!("installing {percent} %"),
        None if !book => "the book is not there".to_owned(),
        None if !heartbeat => "the book does not answer".to_owned(),
        None => "certifying".to_owned(),
    };
    let answer = json!({
        "ready": ready, "says": says, "book": book, "heartbeat": heartbeat, "uncertified": uncertified,
        "installing_percent": installing,
    });
    (status, Json(answer)).into_response()
}
