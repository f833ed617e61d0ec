//! Holds what Stripe says against the book, now and then: what a delivery that never came would have told.

use std::sync::Arc;
use std::time::Duration;

use frame::chain;
use ledger::By;
use payments::{DifferenceKind, ReconcileError, Reconciliation, Stripe, look_due};
use tracing::{info, warn};

use crate::service::Service;

/// The first look comes soon after the start, and not at once: what waits is applied first.
const FIRST: Duration = Duration::from_mins(1);
/// How long to wait for whose turn it is.
const TURN_WAIT: Duration = Duration::from_secs(10);

/// Looks until the service stops; not at all without an API key.
pub async fn run(service: Arc<Service>) {
    let interval = Duration::from_millis(service.settings.reconcile.interval_ms);
    let Some(stripe) = service.parts.stripe.as_ref().filter(|_| !interval.is_zero()) else { return };
    let mut pause = interval.min(FIRST);
    loop {
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = interval;
        let looked = tokio::select! {
            // What it has mended by then stays, the rest is found the next time.
            () = service.stop.cancelled() => return,
            looked = look(&service, stripe) => looked,
        };
        if let Err(error) = looked {
            service.metrics.reconcile_failures.inc();
            let (code, why) = (error.code(), chain(&error));
            warn!(code, "Stripe could not be held against the book: {why}");
        }
    }
}

/// One look, unless another webhook is at it.
async fn look(service: &Service, stripe: &Stripe) -> Result<(), ReconcileError> {
    // A connection that can't be made soon is no turn of ours.
    let Ok(turn) = tokio::time::timeout(TURN_WAIT, service.book.reconcile_turn()).await else { return Ok(()) };
    let Some(turn) = turn? else { return Ok(()) };
    let began = service.clock.now();
    let mark = service.book.reconcile_mark().await?;
    let since = look_due(mark, began, service.settings.reconcile.overlap_ms);
    let repair = service.settings.reconcile.repair;
    let by = By { actor: "webhook".to_owned(), reason: "reconcile with Stripe".to_owned(), at: began };
    let found = payments::reconcile(&service.book, stripe, &service.parts.plans, since, repair, &by);
    let found = found.await?;
    config::failpoint("reconcile.looked");
    tell(service, &found);
    if found.open().next().is_none() {
        // Only then may the next look begin later: what is still different shall be seen again.
        service.book.set_reconcile_mark(began).await?;
    }
    drop(turn);
    Ok(())
}

fn tell(service: &Service, found: &Reconciliation) {
    let metrics = &service.metrics;
    metrics.reconciled.inc();
    for kind in DifferenceKind::ALL {
        metrics.differences(kind.as_str(), found.open().filter(|difference| difference.kind == kind).count());
    }
    metrics.reconciled_at.set(i64::try_from(service.clock.now().as_u64() / 1000).unwrap_or(i64::MAX));
    for difference in &found.differences {
        let (kind, mended) = (difference.kind(), difference.mended);
        warn!(kind, mended, "Stripe and the book differ: {difference}");
    }
    info!(
        differences = found.differences.len(),
        "Stripe was held against the book: {} differences",
        found.differences.len()
    );
}
