//! The worker: takes up mails whose time has come.
//!
//! What it takes up is its own for as long as a lease runs; of a process that dies before it hands a mail over, another one takes it up
//! afterwards. Any number of them may work so.

use std::sync::Arc;
use std::time::Duration;

use frame::chain;
use tokio::task::{JoinError, JoinSet};
use tracing::{error, warn};

use crate::send;
use crate::service::Service;

/// Works until the service stops, then finishes what it has taken up.
pub async fn run(service: Arc<Service>) {
    let settings = service.settings.worker;
    let mut running = JoinSet::new();
    loop {
        let more = take_up(&service, &mut running).await;
        tokio::select! {
            () = service.stop.cancelled() => break,
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
    let settings = service.settings.worker;
    let under_way = u32::try_from(running.len()).unwrap_or(u32::MAX);
    let room = settings.concurrency.saturating_sub(under_way);
    if room == 0 || service.stop.is_cancelled() {
        return true;
    }
    let lease = Duration::from_millis(settings.lease_ms);
    let claimed = match service.book.claim_mails(room, lease, service.clock.now()).await {
        Ok(claimed) => claimed,
        Err(error) => {
            warn!(error = chain(&error), "waiting mails could not be taken up: {}", chain(&error));
            return false;
        }
    };
    if !claimed.is_empty() {
        config::failpoint("worker.claimed");
    }
    let full = claimed.len() >= usize::try_from(room).unwrap_or(usize::MAX);
    for mail in claimed {
        let service = Arc::clone(service);
        running.spawn(async move { send::send(&service, &mail).await });
    }
    full
}

/// A panic stays with its mail, which waits for its lease to run out.
fn told(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!("a mail broke its task: {error}");
    }
}
