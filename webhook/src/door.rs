//! The door: accepts connections up to a number, gives each header a deadline, and closes without cutting anybody off.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, warn};

use crate::receive;
use crate::refusal::Refusal;
use crate::service::Service;

/// Where Stripe is told to deliver.
pub const PATH: &str = "/webhooks/stripe";
/// Stripe's header lines come to less than 2 KiB, its signature included.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// When the system gives no connection (too many open files), trying again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts until the service stops.
pub async fn serve(listener: TcpListener, service: Arc<Service>) {
    let routes = Router::new()
        .route(PATH, post(receive::take))
        .method_not_allowed_fallback(async || Refusal::OnlyPost)
        .fallback(async || Refusal::NothingHere)
        .with_state(Arc::clone(&service));
    let places = Arc::new(Semaphore::new(service.settings.limits.connections_max));
    loop {
        let accepted = tokio::select! {
            () = service.stop.cancelled() => return,
            accepted = accept(&listener, &places) => accepted,
        };
        if let Some((stream, place)) = accepted {
            service.tasks.spawn(connection(stream, routes.clone(), Arc::clone(&service), place));
        }
    }
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            warn!("a connection could not be accepted: {error}");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// One connection: requests one after the other; at a stop the one under way is still answered.
async fn connection(stream: TcpStream, routes: Router, service: Arc<Service>, _place: OwnedSemaphorePermit) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(service.settings.limits.header_ms_max))
        .max_buf_size(HEADER_BYTES_MAX);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = service.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!("a connection ended early: {error}");
    }
}
