//! What all parts of the process share.

use std::time::Duration;

use anyhow::Context;
use config::ledger_sync::Settings;
use frame::{Clock, chain};
use ledger::{Ledger, OwnerId};
use metering::ShardCount;
use metering::live::Place;
use metering::live::owner::Caps;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;
use uuid::Uuid;

use crate::metrics::Metrics;

/// How long a stop waits for the shards to be drained once more and given up.
pub const STOP_WAIT: Duration = Duration::from_secs(5);
/// How long Redis may take for one answer to an owner. Certification loads scripts; installs are long pipelines.
pub const REDIS_WAIT: Duration = Duration::from_secs(5);
/// Connections to the book that journals may take.
const JOURNAL_TURNS: usize = 2;
/// Pause between two looks for a book that is not there yet.
const BOOK_PAUSE: Duration = Duration::from_millis(500);

/// One ledger-sync process.
pub struct Service {
    /// Its settings.
    pub settings: Settings,
    /// Where live state is.
    pub redis: Place,
    /// The book.
    pub book: Ledger,
    /// Made anew at each start.
    pub owner: OwnerId,
    /// For people: host and process id.
    pub name: String,
    /// The shard count of the installation.
    pub shard_count: ShardCount,
    /// The time.
    pub clock: Clock,
    /// What Prometheus sees.
    pub metrics: Metrics,
    /// Told when the process shall stop.
    pub stop: CancellationToken,
    /// Every task, so that a stop waits for them.
    pub tasks: TaskTracker,
    /// Batches of journals written at once; the others wait, so that the drain always has connections to the book.
    pub journal_turns: Semaphore,
    /// Raised when the outbox has news; shard tasks wait on it.
    pub outbox_news: watch::Sender<u64>,
}

impl Service {
    /// Puts the parts together; nothing runs yet.
    pub fn new(settings: Settings, redis: Place, book: Ledger) -> anyhow::Result<Self> {
        let shard_count = ShardCount::new(settings.shards.count).context("shards.count")?;
        let id = Uuid::now_v7();
        Ok(Self {
            name: format!("ledger-sync-{}", std::process::id()),
            owner: OwnerId::from_uuid(id),
            redis,
            book,
            shard_count,
            clock: Clock,
            metrics: Metrics::new().context("metrics")?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            journal_turns: Semaphore::new(JOURNAL_TURNS),
            outbox_news: watch::Sender::new(0),
            settings,
        })
    }

    /// Waits for the book; a schema that is missing, old or of another layout is final.
    pub async fn check_book(&self) -> anyhow::Result<()> {
        loop {
            match self.book.check_schema(Some(self.shard_count)).await {
                Ok(_) => break,
                Err(error) if error.is_passing() => {
                    warn!(error = chain(&error), "the book is not there yet: {}", chain(&error));
                    tokio::time::sleep(BOOK_PAUSE).await;
                }
                Err(error) => return Err(error).context("the book does not fit this program"),
            }
        }
        self.book.ensure_partitions(self.clock.now()).await.context("the book's partitions")?;
        self.metrics.book_ready.set(1);
        Ok(())
    }

    /// The exposure caps from the settings.
    pub fn caps(&self) -> Caps {
        let exposure = &self.settings.exposure;
        Caps { events: exposure.events, credits: exposure.credits, age_ms: exposure.age_ms }
    }
}
