//! The door: what Stripe and the mail provider may ask here, and how much of it at a time.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use frame::door::Limits;
use tokio::net::TcpListener;

use crate::mail;
use crate::receive;
use crate::refusal::Refusal;
use crate::service::Service;

/// Where Stripe is told to deliver.
pub const PATH: &str = "/webhooks/stripe";
/// Where the mail provider is told to deliver.
pub const MAIL_PATH: &str = "/webhooks/mail";
/// Stripe's header lines come to less than 2 KiB, its signature included.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Accepts until the service stops.
pub async fn serve(listener: TcpListener, service: Arc<Service>) {
    let limits = &service.settings.limits;
    let limits = Limits {
        connections_max: limits.connections_max,
        header_ms_max: limits.header_ms_max,
        header_bytes_max: HEADER_BYTES_MAX,
    };
    let (stop, tasks) = (service.stop.clone(), service.tasks.clone());
    let mut routes = Router::new().route(PATH, post(receive::take));
    if service.parts.mail.is_some() {
        routes = routes.route(MAIL_PATH, post(mail::take));
    }
    let routes = routes
        .method_not_allowed_fallback(async || Refusal::OnlyPost)
        .fallback(async || Refusal::NothingHere)
        .with_state(service);
    frame::door::serve(listener, routes, limits, stop, tasks).await;
}
