//! Verifying one account now: recomputed from its entries, and held against live state with the events between.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use frame::chain;
use ledger::{AccountView, Comparison, Difference, Drift, ParkedEvents, Seen, look};
use metering::{AccountId, Credits, TimeMs};
use tokio::sync::Semaphore;
use tracing::warn;

use crate::refusal::Refusal;
use crate::service::Service;

/// What is waited for an answer; the work goes on to its end.
const WAIT: Duration = Duration::from_secs(10);
/// Accounts that may be recomputed at once: each reads all of its entries.
static PLACES: Semaphore = Semaphore::const_new(2);

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The account by the book.
    pub view: AccountView,
    /// What in the book does not agree with itself.
    pub differences: Vec<Difference>,
    /// Book and live state side by side.
    pub beside: Beside,
    /// When.
    pub at: TimeMs,
}

/// Book and live state side by side.
#[derive(Debug)]
pub enum Beside {
    /// They agree.
    Agrees {
        /// What can be drawn by live state; `None` where it does not have the account yet.
        live: Option<Credits>,
        /// The same by the book and the events between.
        book: Credits,
        /// Events that are not in the book yet.
        between: u64,
    },
    /// They differ.
    Differs { live: Option<Credits>, drifts: Vec<Drift> },
    /// They differ by what is parked as dead letters.
    Parked { live: Option<Credits>, parked: ParkedEvents },
    /// They could not be compared.
    Unsure(String),
}

impl Found {
    /// Credits by which live state is off; `None` where nobody can say.
    pub fn drift(&self) -> Option<u64> {
        match &self.beside {
            Beside::Agrees { .. } => Some(0),
            Beside::Differs { drifts, .. } => Some(drifts.iter().map(Drift::credits).fold(0, u64::saturating_add)),
            Beside::Parked { .. } | Beside::Unsure(_) => None,
        }
    }

    /// Whether nothing differs, anywhere.
    pub fn is_true(&self) -> bool {
        self.differences.is_empty() && matches!(self.beside, Beside::Agrees { .. })
    }
}

/// Verifies it, and notes it as verified where nothing differs.
pub async fn verify(service: &Arc<Service>, account: AccountId) -> Result<Found, Refusal> {
    let Ok(place) = PLACES.try_acquire() else { return Err(busy()) };
    let of = Arc::clone(service);
    let work = service.tasks.spawn(async move {
        let found = found(&of, account).await;
        drop(place);
        found
    });
    match tokio::time::timeout(WAIT, work).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            warn!("a verification has not ended as it should: {}", chain(&error));
            Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something broke here. It has been written down.",
            ))
        }
        Err(_) => {
            let detail = "This account has very many entries: recomputing it takes longer than a page can wait. `tollgate verify` waits for it.";
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "verify_too_slow", detail))
        }
    }
}

fn busy() -> Refusal {
    let detail = "Other accounts are being recomputed just now. Try again in a moment.";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "verify_busy", detail)
}

async fn found(service: &Service, account: AccountId) -> Result<Found, Refusal> {
    let (book, now) = (&service.book, service.clock.now());
    let view = book.account_view(account, now).await?;
    let differences = book.recompute(&[account]).await?;
    let beside = match look(book, &service.meter, &[account]).await {
        Ok(mut seen) => match seen.pop() {
            Some(seen) => {
                // Whether anybody hears of it is not what matters here.
                if let Err(error) = book.note_verified(std::slice::from_ref(&seen), &differences, now).await {
                    warn!(error = chain(&error), "that an account was verified could not be noted: {}", chain(&error));
                }
                beside(seen)
            }
            None => Beside::Unsure("the account is not there any more".to_owned()),
        },
        Err(ledger::LookError::Book(error)) => return Err(error.into()),
        Err(error) => Beside::Unsure(error.to_string()),
    };
    Ok(Found { view, differences, beside, at: now })
}

fn beside(seen: Seen) -> Beside {
    let live = seen.snapshot.as_ref().and_then(|snapshot| snapshot.drawable_at(snapshot.at));
    match seen.comparison {
        Comparison::Agrees { unapplied, drawable } => Beside::Agrees { live, book: drawable, between: unapplied },
        Comparison::Differs(drifts) => Beside::Differs { live, drifts },
        Comparison::Parked(parked) => Beside::Parked { live, parked },
        Comparison::Unsure(why) => Beside::Unsure(why.to_owned()),
    }
}
