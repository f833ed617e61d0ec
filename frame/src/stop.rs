//! How a service is told to stop, and how it then ends: what is under way is finished, up to a limit.

use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The signals that tell a process to stop.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// From here on they end nothing by themselves: call it before the first task is spawned, so that none is cut off.
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("no handler for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("no handler for SIGINT")?,
        })
    }

    /// Waits for one of them; answers its name.
    pub async fn told(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Tells all tasks to stop and waits for them, at most so long; answers whether every one of them ended.
pub async fn finish(stop: &CancellationToken, tasks: &TaskTracker, wait: Duration) -> bool {
    stop.cancel();
    tasks.close();
    tokio::time::timeout(wait, tasks.wait()).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn tasks_that_heed_the_stop_are_waited_for() {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(stop.clone().cancelled_owned());
        assert!(finish(&stop, &tasks, PATIENCE).await);
    }

    #[tokio::test]
    async fn a_task_that_goes_on_is_waited_for_no_longer_than_the_limit() {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(std::future::pending::<()>());
        let ended = tokio::time::timeout(PATIENCE, finish(&stop, &tasks, Duration::from_millis(10))).await;
        assert_eq!(ended, Ok(false));
    }
}
