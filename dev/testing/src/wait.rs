//! Waiting for a condition instead of a time.

use std::time::{Duration, Instant};

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits for a condition, with a limit.
pub async fn wait_until(limit: Duration, what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < limit, "waited in vain: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
