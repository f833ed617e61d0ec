//! Listens to changes of API keys, for as long as the process lives.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{Stream, StreamExt};
use metering::KeyDigest;
use tokio::sync::watch::Receiver;

use super::KeyCache;

/// Pause before the subscription is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// `redis` says what is wrong with Redis: a silent one may have lost the subscription without a word.
pub async fn follow_changes(keys: KeyCache, mut redis: Receiver<Option<&'static str>>) {
    while redis.wait_for(Option::is_none).await.map(drop).is_ok() {
        match keys.meter.key_changes().await {
            Ok(changes) => {
                // Entries read before this moment may have missed a change, so the count goes up when hearing begins, too.
                keys.set_hearing(true);
                tracing::info!("changes of API keys are heard");
                forget_changed(&keys, changes, &mut redis).await;
                keys.set_hearing(false);
                tracing::warn!("changes of API keys can't be heard: every key is looked up anew until they can");
            }
            Err(error) => tracing::debug!(error = %error, "changes of API keys can't be heard yet"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Until the subscription or Redis is lost.
async fn forget_changed(
    keys: &KeyCache,
    changes: impl Stream<Item = KeyDigest>,
    redis: &mut Receiver<Option<&'static str>>,
) {
    // `drop`: what `wait_for` answers is a lock.
    let lost = pin!(async { redis.wait_for(Option::is_some).await.map(drop) });
    let mut changes = pin!(changes.take_until(lost));
    while let Some(digest) = changes.next().await {
        keys.forget(digest).await;
    }
}

impl KeyCache {
    fn set_hearing(&self, hears: bool) {
        let before = self.hearing.load(Ordering::Acquire);
        if (before % 2 == 1) != hears {
            self.hearing.store(before + 1, Ordering::Release);
        }
        self.metrics.key_changes_heard.set(i64::from(hears));
    }
}
