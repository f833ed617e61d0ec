//! Stripe held against the book when an operator asks, and what differs mended when he says so.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use frame::chain;
use ledger::{By, Day};
use metering::TimeMs;
use payments::{ReconcileError, Reconciliation, Stripe, look_due};
use tracing::warn;

use crate::refusal::Refusal;
use crate::service::Service;

/// How long one look may take: a page waits for it.
const WAIT: Duration = Duration::from_secs(6);
/// What Stripe shows late is seen all the same.
const OVERLAP_MS: u64 = 86_400_000;

/// A look, and since when.
#[derive(Debug)]
pub struct Look {
    pub since: TimeMs,
    pub found: Reconciliation,
}

/// From when on nobody has looked yet.
pub async fn due(service: &Service) -> Result<TimeMs, Refusal> {
    Ok(look_due(service.book.reconcile_mark().await?, service.clock.now(), OVERLAP_MS))
}

/// Looks since a day; with `repair` mends what can be mended. Without a day, from when on nobody has looked yet.
pub async fn look(service: &Arc<Service>, since: Option<Day>, repair: bool, by: &By) -> Result<Look, Refusal> {
    let Some(stripe) = &service.parts.stripe else {
        let detail = "Stripe is not configured here: there is nothing to hold the book against.";
        return Err(Refusal::new(StatusCode::CONFLICT, "stripe_not_configured", detail));
    };
    let Some(turn) = service.book.reconcile_turn().await? else {
        let detail = "A webhook, or somebody else, holds Stripe against the book just now. Try again when it is done.";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "reconcile_under_way", detail));
    };
    let look = hold(service, stripe, since, repair, by).await;
    // What is confirmed looks twice, and must not find the first look in its way.
    turn.end().await?;
    look
}

async fn hold(service: &Service, stripe: &Stripe, since: Option<Day>, repair: bool, by: &By) -> Result<Look, Refusal> {
    let due = due(service).await?;
    let since = since.map_or(due, Day::starts_at);
    let look = payments::reconcile(&service.book, stripe, &service.parts.plans, since, repair, by);
    let found = match tokio::time::timeout(WAIT, look).await {
        Ok(found) => found.map_err(refusal)?,
        Err(_) => return Err(too_slow(repair)),
    };
    // A look that left nothing lets the next one begin where it began, if it left out nothing that was due.
    if since <= due && found.open().next().is_none() {
        service.book.set_reconcile_mark(service.clock.now()).await?;
    }
    Ok(Look { since, found })
}

fn too_slow(repair: bool) -> Refusal {
    let kept = if repair { " What was mended by then stays." } else { "" };
    let detail = format!(
        "Stripe has more since then than a page can wait for.{kept} Begin later, or take `tollgate stripe reconcile`, which waits."
    );
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "reconcile_too_slow", detail)
}

fn refusal(error: ReconcileError) -> Refusal {
    match error {
        ReconcileError::Book(error) => error.into(),
        ReconcileError::Stripe(error) => {
            warn!(error = chain(&error), "Stripe could not be held against the book: {}", chain(&error));
            let detail = "Stripe did not answer as it should. Nothing is known; try again in a moment.";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), detail)
        }
        ReconcileError::TooMuch => too_slow(false),
    }
}
