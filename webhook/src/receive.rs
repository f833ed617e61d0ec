//! One delivery from Stripe, on one page: verify, parse, record once, wake the worker, answer.
//!
//! Who is answered 200 need never come again: the delivery is committed, and whatever becomes of it is ours. Who is answered anything
//! else comes again by itself, for days.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use frame::chain;
use ledger::stripe::Received;
use payments::{Event, TOLERANCE};
use serde_json::json;
use tokio::sync::SemaphorePermit;
use tracing::{info, warn};

use crate::refusal::Refusal;
use crate::service::Service;

const SIGNATURE: &str = "stripe-signature";

/// Answers one delivery.
pub async fn take(State(service): State<Arc<Service>>, request: Request) -> Response {
    let inside = Arc::clone(&service);
    answer(&service, async move { receive(&inside, request).await }).await
}

/// Does what there is to do with a delivery, and answers it. In a task of its own, because whoever hangs up must not cut off what speaks with
/// the book: a connection whose transaction was just beginning would go back to the others with it open.
pub async fn answer(service: &Service, work: impl Future<Output = Result<(), Refusal>> + Send + 'static) -> Response {
    let began = Instant::now();
    let taken = service.tasks.spawn(work).await;
    let answer = match taken.unwrap_or(Err(Refusal::Broken)) {
        Ok(()) => Json(json!({ "received": true })).into_response(),
        Err(refusal) => {
            service.metrics.refused(refusal.reason());
            refusal.into_response()
        }
    };
    service.metrics.answered(began.elapsed());
    answer
}

async fn receive(service: &Service, request: Request) -> Result<(), Refusal> {
    let (head, body) = request.into_parts();
    let body = read(service, body).await?;
    let event = believe(service, &head.headers, &body)?;
    record(service, &event, body).await?;
    config::failpoint("receive.answering");
    Ok(())
}

/// The whole body, within its limits.
pub async fn read(service: &Service, body: Body) -> Result<Bytes, Refusal> {
    let limits = &service.settings.limits;
    let bytes_max = limits.body_bytes_max;
    // One that says its length is not read for nothing.
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(Refusal::TooLarge { bytes_max });
    }
    let arrived = tokio::time::timeout(Duration::from_millis(limits.body_ms_max), to_bytes(body, bytes_max)).await;
    arrived.map_err(|_| Refusal::TooSlow)?.map_err(|error| Refusal::of_body(&error, bytes_max))
}

/// A place among those that may be on their way to the book at once, if there is one, and a book.
pub fn turn(service: &Service) -> Result<SemaphorePermit<'_>, Refusal> {
    let turn = service.turns.try_acquire().map_err(|_| Refusal::Busy)?;
    if service.metrics.book_fits.get() == 0 {
        return Err(Refusal::BookAway);
    }
    Ok(turn)
}

/// Only what Stripe has signed is read at all.
fn believe(service: &Service, headers: &HeaderMap, body: &[u8]) -> Result<Event, Refusal> {
    let mut signatures = headers.get_all(SIGNATURE).iter();
    let (Some(signature), None) = (signatures.next(), signatures.next()) else { return Err(Refusal::Unsigned) };
    let signature = signature.to_str().map_err(|_| Refusal::Unsigned)?;
    payments::verify(signature, body, &service.parts.secrets, service.clock.now(), TOLERANCE)?;
    payments::parse(body).map_err(|why| {
        warn!("a delivery that Stripe has signed can't be read: {why}");
        Refusal::Malformed
    })
}

/// Keeps it once, whatever it says, and has the worker look: it is safe from here on.
async fn record(service: &Service, event: &Event, body: Bytes) -> Result<(), Refusal> {
    let _turn = turn(service)?;
    let delivery = event.delivery(body.into());
    config::failpoint("receive.verified");
    let received = service.book.record_delivery(&delivery, service.clock.now()).await.map_err(|error| {
        warn!(event = delivery.event, "delivery {} could not be recorded: {}", delivery.event, chain(&error));
        Refusal::BookAway
    })?;
    config::failpoint("receive.recorded");
    let how = match received {
        Received::New => "recorded",
        Received::Known => "known",
    };
    service.metrics.delivered(&delivery.kind, how);
    service.wake.notify_one();
    info!(
        event = delivery.event,
        kind = delivery.kind,
        how,
        "delivery {} ({}) is {how}",
        delivery.event,
        delivery.kind
    );
    Ok(())
}
