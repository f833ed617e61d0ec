//! Listens to changes of API keys, for as long as the process lives.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;

use super::KeyCache;

/// Pause before the subscription is tried again.
const PAUSE: Duration = Duration::from_millis(200);

pub async fn follow_changes(keys: KeyCache) {
    loop {
        match keys.meter.key_changes().await {
            Ok(changes) => {
                // Entries read before this moment may have missed a change, so the count goes up when hearing begins, too.
                keys.set_hearing(true);
                tracing::info!("changes of API keys are heard");
                let mut changes = std::pin::pin!(changes);
                while let Some(digest) = changes.next().await {
                    keys.forget(digest).await;
                }
                keys.set_hearing(false);
                tracing::warn!("changes of API keys can't be heard: every key is looked up anew until they can");
            }
            Err(error) => tracing::debug!(error = %error, "changes of API keys can't be heard yet"),
        }
        tokio::time::sleep(PAUSE).await;
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
