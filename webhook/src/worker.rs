//! The worker: takes up deliveries that wait in the book, as soon as it is woken and every second, and applies them.
//!
//! What it takes up is its own for as long as a lease runs; of a process that dies in the middle another one takes it up afterwards.
//! Any number of webhooks may work so. The rules make the order harmless; they are taken up as Stripe made them all the same.

use std::sync::Arc;
use std::time::Duration;

use frame::chain;
use tokio::task::{JoinError, JoinSet};
use tracing::{error, warn};

use crate::apply;
use crate::service::Service;

/// Works until the service stops, then finishes what it has taken up.
pub async fn run(service: Arc<Service>) {
    let settings = service.settings.worker;
    let mut running = JoinSet::new();
    loop {
        let more = take_up(&service, &mut running).await;
        tokio::select! {
            () = service.stop.cancelled() => break,
            () = service.wake.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(settings.interval_ms)) => {}
            Some(ended) = running.join_next(), if more => told(ended),
        }
        while let Some(ended) = running.try_join_next() {
            told(ended);
        }
    }
    while let Some(ended) = running.join_next().await {
        told(ended);
    }
}

/// Takes up as many as there is room for; whether more may be waiting.
async fn take_up(service: &Arc<Service>, running: &mut JoinSet<()>) -> bool {
    let under_way = u32::try_from(running.len()).unwrap_or(u32::MAX);
    let room = service.settings.worker.concurrency.saturating_sub(under_way);
    if room == 0 || service.stop.is_cancelled() {
        return true;
    }
    let lease = Duration::from_millis(service.settings.worker.lease_ms);
    let mut claimed = match service.book.claim_deliveries(room, lease, service.clock.now()).await {
        Ok(claimed) => claimed,
        Err(error) => {
            warn!(error = chain(&error), "waiting deliveries could not be taken up: {}", chain(&error));
            return false;
        }
    };
    if !claimed.is_empty() {
        config::failpoint("worker.claimed");
    }
    let full = claimed.len() >= usize::try_from(room).unwrap_or(usize::MAX);
    claimed.sort_by_key(|stored| stored.delivery.created);
    for stored in claimed {
        let service = Arc::clone(service);
        running.spawn(async move { apply::settle(&service, &stored).await });
    }
    full
}

/// A panic stays with its delivery, which waits for its lease to run out.
fn told(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!("a delivery broke its task: {error}");
    }
}
