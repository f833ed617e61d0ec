//! The admin listener: `/healthz`, `/readyz`, `/metrics`. Keep it inside.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use frame::admin::readiness;
use tokio::net::TcpListener;

use crate::service::Service;

/// Serves until the service stops.
pub async fn serve(listener: TcpListener, service: Arc<Service>) {
    let (registry, stop) = (service.metrics.registry.clone(), service.stop.clone());
    let routes = Router::new().route("/readyz", get(ready)).with_state(service);
    frame::admin::serve(listener, routes, registry, stop).await;
}

/// Ready: the book fits and answers. Live state may be away: pages then show the book, and say so.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    let (answers, stopping) = (service.metrics.book_answers.get() == 1, service.stop.is_cancelled());
    let missing = match (stopping, answers) {
        (true, _) => Some("stopping"),
        (false, false) => Some("the book does not answer, or does not fit"),
        (false, true) => None,
    };
    readiness::answer(missing, [("book", answers.into()), ("stripe", service.parts.stripe.is_some().into())])
}
