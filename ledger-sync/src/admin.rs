//! The admin listener: `/healthz`, `/readyz`, `/metrics`, and `/journal`, where gateways post. Keep it inside.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use frame::admin::readiness;
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
    let installing = service.metrics.installs();
    let least = installing.values().min().copied();
    let missing = match least {
        _ if ready => None,
        Some(percent) => Some(format!("installing {percent} %")),
        None if !book => Some("the book is not there".to_owned()),
        None if !heartbeat => Some("the book does not answer".to_owned()),
        None => Some("certifying".to_owned()),
    };
    let facts = [
        ("book", book.into()),
        ("heartbeat", heartbeat.into()),
        ("uncertified", json!(uncertified)),
        ("installing_percent", json!(installing)),
    ];
    readiness::answer(missing.as_deref(), facts)
}
