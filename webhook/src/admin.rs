//! The admin listener: `/healthz`, `/readyz`, `/metrics`. Keep it inside.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use frame::admin::readiness::OnBook;
use tokio::net::TcpListener;

use crate::service::Service;

/// Serves until the service stops.
pub async fn serve(listener: TcpListener, service: Arc<Service>) {
    let (registry, stop) = (service.metrics.registry.clone(), service.stop.clone());
    let routes = Router::new().route("/readyz", get(ready)).with_state(service);
    frame::admin::serve(listener, routes, registry, stop).await;
}

/// Ready: the book fits and answers. Secrets and plans were checked before anything was opened, so they are only told.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    let (metrics, parts, stripe) = (&service.metrics, &service.parts, &service.settings.stripe);
    let stands = OnBook {
        stopping: service.stop.is_cancelled(),
        fits: metrics.book_fits.get() == 1,
        answers: metrics.book_answers.get() == 1,
    };
    stands.answer([
        ("mode", parts.mode_name().into()),
        ("secrets", stripe.webhook_secrets.len().into()),
        ("plans", parts.plans.iter().count().into()),
        ("stripe", parts.stripe.is_some().into()),
    ])
}
