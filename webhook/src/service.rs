//! What all parts of the process share.

use std::time::Duration;

use anyhow::Context;
use config::webhook::Settings;
use frame::Clock;
use ledger::Ledger;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::Metrics;
use crate::parts::Parts;

/// How long a stop waits for deliveries under way to be recorded, answered and applied.
pub const STOP_WAIT: Duration = Duration::from_secs(10);

/// One webhook process.
pub struct Service {
    /// Its settings.
    pub settings: Settings,
    /// What they stand for, checked.
    pub parts: Parts,
    /// The book.
    pub book: Ledger,
    /// The time.
    pub clock: Clock,
    /// What Prometheus sees.
    pub metrics: Metrics,
    /// Told when the process shall stop.
    pub stop: CancellationToken,
    /// Every task, so that a stop waits for them.
    pub tasks: TaskTracker,
    /// Deliveries that may be on their way to the book at once.
    pub turns: Semaphore,
    /// Told when a delivery waits.
    pub wake: Notify,
}

impl Service {
    /// Puts the parts together; nothing runs yet.
    pub fn new(settings: Settings, parts: Parts, book: Ledger) -> anyhow::Result<Self> {
        Ok(Self {
            turns: Semaphore::new(settings.limits.in_flight_max),
            settings,
            parts,
            book,
            clock: Clock,
            metrics: Metrics::new().context("metrics")?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            wake: Notify::new(),
        })
    }

    /// Waits for the book, and lets readiness know that it is there; one that does not fit is final.
    pub async fn check_book(&self) -> anyhow::Result<()> {
        frame::wait_for_book(&self.book).await?;
        self.metrics.book_fits.set(1);
        self.metrics.book_answers.set(1);
        Ok(())
    }
}
