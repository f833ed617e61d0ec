//! Looks at the book once a second: whether it answers, how many deliveries wait in it, how many are parked.

use std::sync::Arc;
use std::time::Duration;

use frame::chain;
use ledger::{Ledger, LedgerError};
use tracing::{info, warn};

use crate::service::Service;

const EVERY: Duration = Duration::from_secs(1);

/// Looks until the service stops.
pub async fn run(service: Arc<Service>) {
    let mut pulse = tokio::time::interval(EVERY);
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = service.stop.cancelled() => return,
            _ = pulse.tick() => look(&service).await,
        }
    }
}

async fn look(service: &Service) {
    let metrics = &service.metrics;
    let answered = metrics.book_answers.get() == 1;
    match backlog(&service.book).await {
        Ok((waiting, age_ms, parked)) => {
            metrics.waiting.set(gauge_value(waiting));
            metrics.waiting_age.set(gauge_value(age_ms));
            metrics.parked_open.set(gauge_value(parked));
            metrics.book_answers.set(1);
            if !answered {
                info!("the book answers again");
            }
        }
        Err(error) => {
            metrics.book_answers.set(0);
            // Once is enough: it says when it answers again.
            if answered {
                warn!(error = chain(&error), "the book does not answer: {}", chain(&error));
            }
        }
    }
}

/// How many deliveries wait, for how long the oldest of them, and how many are parked.
async fn backlog(book: &Ledger) -> Result<(u64, u64, u64), LedgerError> {
    let (waiting, parked) = book.delivery_backlog().await?;
    Ok((waiting, book.delivery_waiting_age_ms().await?, parked))
}

fn gauge_value(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
