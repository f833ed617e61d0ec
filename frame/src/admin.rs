//! The admin listener: `/healthz`, `/metrics`, and what a service adds. Keep it inside.

pub mod readiness;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// Serves these routes, and those that every service has, until it stops.
pub async fn serve(listener: TcpListener, routes: Router, registry: Registry, stop: CancellationToken) {
    let routes =
        routes.route("/healthz", get(async || "ok\n")).route("/metrics", get(async move || metrics(&registry)));
    let served = axum::serve(listener, routes).with_graceful_shutdown(async move { stop.cancelled().await }).await;
    if let Err(error) = served {
        error!("the admin listener ended: {error}");
    }
}

fn metrics(registry: &Registry) -> Response {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            error!("metrics can't be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
