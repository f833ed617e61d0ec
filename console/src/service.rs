//! What all parts of the process share.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::console::Settings;
use frame::{Clock, chain};
use ledger::Ledger;
use metering::live::Meter;
use sessions::{Sessions, Watch};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::jwks::Publisher;
use crate::metrics::Metrics;
use crate::parts::Parts;

/// How long a stop waits for requests under way.
pub const STOP_WAIT: Duration = Duration::from_secs(10);
/// Pause between two looks at whether the book is there.
const BOOK_PAUSE: Duration = Duration::from_secs(1);
const HOST_PREFIX: &str = "__Host-";

/// One console process.
pub struct Service {
    /// Its settings.
    pub settings: Settings,
    /// What they stand for, checked.
    pub parts: Parts,
    /// The book.
    pub book: Ledger,
    /// Live state; it need not answer.
    pub meter: Meter,
    /// What verifies sessions.
    pub sessions: Sessions,
    /// The time.
    pub clock: Clock,
    /// What Prometheus sees.
    pub metrics: Metrics,
    /// Places for pages that are told of changes.
    pub live: Arc<Semaphore>,
    /// Told when the process shall stop.
    pub stop: CancellationToken,
    /// Every task, so that a stop waits for them.
    pub tasks: TaskTracker,
}

impl Service {
    /// Puts the parts together; nothing is asked of a store yet.
    pub async fn new(settings: Settings, parts: Parts, book: Ledger) -> anyhow::Result<Self> {
        Ok(Self {
            meter: Meter::connect(parts.redis.clone()).await.context("live state can't be spoken to")?,
            sessions: Sessions::new(parts.rules.clone(), parts.keys.clone(), unwatched()),
            live: Arc::new(Semaphore::new(settings.limits.live_max)),
            settings,
            parts,
            book,
            clock: Clock,
            metrics: Metrics::new().context("metrics")?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// The cookie of sessions; in development also under the name that works without https.
    pub fn cookie_names(&self) -> Vec<&str> {
        let name = self.parts.rules.cookie.as_str();
        let dev = self.settings.dev.login.then(|| self.dev_cookie()).filter(|dev| *dev != name);
        std::iter::once(name).chain(dev).collect()
    }

    /// Browsers take a name with `__Host-` over https only.
    pub fn dev_cookie(&self) -> &str {
        let name = self.parts.rules.cookie.as_str();
        name.strip_prefix(HOST_PREFIX).unwrap_or(name)
    }
}

/// Nothing is counted of sessions: the gateway's figures are those that say how many there are.
pub fn unwatched() -> Arc<dyn Watch> {
    Arc::new(())
}

/// Keeps the keys of sessions fresh until the service stops.
pub async fn keep_keys(service: Arc<Service>) {
    let source = service.parts.rules.keys.clone();
    let kept = service.parts.keys.clone().keep(source, Publisher::of);
    tokio::select! {
        () = service.stop.cancelled() => {}
        () = kept => {}
    }
}

/// Looks whether the book is there and fits, for readiness; what is wrong is logged when it begins and when it is over.
pub async fn watch_book(service: Arc<Service>) {
    let mut well = true;
    loop {
        let looked = service.book.check_schema(None).await;
        service.metrics.book_answers.set(i64::from(looked.is_ok()));
        match looked {
            Err(error) if well => warn!(error = chain(&error), "the book is not there: {}", chain(&error)),
            Ok(_) if !well => tracing::info!("the book is there"),
            _ => {}
        }
        well = service.metrics.book_answers.get() == 1;
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = tokio::time::sleep(BOOK_PAUSE) => {}
        }
    }
}
