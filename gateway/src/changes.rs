//! Listens to changes of API keys and of accounts, for as long as the process lives.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use metering::live::{Changed, Meter};
use tokio::sync::watch::Receiver;

use crate::account_standings::AccountStandings;
use crate::key_cache::KeyCache;
use crate::metrics::Metrics;
use crate::remembered::Hearing;

/// Pause before the subscription is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Who must forget what has changed.
pub struct Listeners {
    pub hearing: Hearing,
    pub keys: KeyCache,
    pub standings: AccountStandings,
    pub metrics: Arc<Metrics>,
}

/// `redis` says what is wrong with Redis: a silent one may have lost the subscription without a word.
pub async fn follow_changes(meter: Meter, listeners: Listeners, mut redis: Receiver<Option<&'static str>>) {
    while redis.wait_for(Option::is_none).await.map(drop).is_ok() {
        match meter.changes().await {
            Ok(changes) => {
                // Entries read before this moment may have missed a change, so the count goes up when hearing begins, too.
                listeners.set_hearing(true);
                tracing::info!("changes of API keys are heard");
                listeners.forget_changed(changes, &mut redis).await;
                listeners.set_hearing(false);
                tracing::warn!("changes of API keys can't be heard: every key is looked up anew until they can");
            }
            Err(error) => tracing::debug!(error = %error, "changes of API keys can't be heard yet"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Listeners {
    /// Until the subscription or Redis is lost.
    async fn forget_changed(&self, changes: impl Stream<Item = Changed>, redis: &mut Receiver<Option<&'static str>>) {
        // `drop`: what `wait_for` answers is a lock.
        let lost = pin!(async { redis.wait_for(Option::is_some).await.map(drop) });
        let mut changes = pin!(changes.take_until(lost));
        while let Some(changed) = changes.next().await {
            match changed {
                Changed::Key(digest) => self.keys.forget(digest).await,
                Changed::Account(account) => self.standings.forget(account).await,
            }
        }
    }

    fn set_hearing(&self, hears: bool) {
        self.hearing.set(hears);
        self.metrics.key_changes_heard.set(i64::from(hears));
    }
}
