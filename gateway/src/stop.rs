//! The end of the process: requests in flight may finish, what is owed is returned, the log is written out.
//!
//! After SIGTERM pingora closes its listeners at once and then sleeps its whole grace period, busy or not. So an observer ends
//! the process as soon as the last request has; the grace period is only the limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::{ExecutionPhase, ShutdownSignal, ShutdownSignalWatch, UnixShutdownSignalWatch};
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;

use crate::confirmations::Confirmations;
use crate::edge::Linger;
use crate::journal::Journal;
use crate::metrics::{Metrics, until_none};
use crate::restitution::Restitutions;
use crate::sockets::Kept;
use crate::traces::Traces;

/// How long what is owed may take to be returned; what is left then is found by the owner of the shard.
const FLUSH_MAX: Duration = Duration::from_secs(5);
/// How long the last spans may take to reach their collector.
const SPANS_MAX: Duration = Duration::from_secs(2);
/// How long the end of the journal may take to be written, and to be posted.
const JOURNAL_MAX: Duration = Duration::from_secs(5);
/// How long requests that were cut may take to be dropped.
const CUT_MAX: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What has to be done before the process may end.
#[derive(Clone)]
pub struct LastWords {
    pub metrics: Arc<Metrics>,
    pub restitutions: Restitutions,
    pub confirmations: Confirmations,
    pub journal: Journal,
    pub traces: Option<Arc<Traces>>,
    pub flush_log: Arc<dyn Fn() + Send + Sync>,
    /// Whether the process stops because it could not do what it was started for.
    pub failed: Arc<AtomicBool>,
}

impl LastWords {
    pub async fn say(&self) {
        // A fast stop does not wait for what it cuts to be dropped, and what is owed is known only then.
        until_none(&self.metrics.requests_in_flight, CUT_MAX).await;
        config::failpoint("stop.begun");
        let spans = async {
            if let Some(traces) = &self.traces {
                traces.flush(SPANS_MAX).await;
            }
        };
        let (owed, unconfirmed, ()) =
            tokio::join!(self.restitutions.flush(FLUSH_MAX), self.confirmations.flush(FLUSH_MAX), spans);
        if unconfirmed > 0 {
            tracing::error!(
                unconfirmed,
                "{unconfirmed} debits could not be confirmed before the stop: they will be given back"
            );
        }
        config::failpoint("stop.flushed");
        self.journal.end(JOURNAL_MAX).await;
        config::failpoint("stop.journal_ended");
        if owed > 0 {
            tracing::error!(owed, "{owed} give-backs, undos and the like could not be sent before the stop");
        }
        tracing::info!("the gateway has stopped");
        (self.flush_log)();
    }
}

/// What tells the gateway to stop: a signal, or another gateway that has taken its place.
pub struct Stops {
    pub stop: Arc<Notify>,
    /// Closed with the listeners.
    pub sockets: Kept,
}

#[async_trait]
impl ShutdownSignalWatch for Stops {
    async fn recv(&self) -> ShutdownSignal {
        let told = tokio::select! {
            told = UnixShutdownSignalWatch.recv() => told,
            () = self.stop.notified() => ShutdownSignal::GracefulTerminate,
        };
        self.sockets.close();
        match told {
            // pingora's own way of handing sockets over is not used, and takes 10 s more.
            ShutdownSignal::GracefulUpgrade => ShutdownSignal::GracefulTerminate,
            told => told,
        }
    }
}

/// Ends the process when it is told to stop and no request is in flight any more.
pub async fn end_when_idle(mut phases: Receiver<ExecutionPhase>, linger: Linger, last_words: LastWords) {
    loop {
        match phases.recv().await {
            Ok(ExecutionPhase::ShutdownGracePeriod) => break,
            Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        }
    }
    linger.wait().await;
    let mut idle_looks = 0;
    // Twice in a row: a request whose header is just being read is not counted yet.
    while idle_looks < 2 {
        tokio::time::sleep(LOOK_EVERY).await;
        idle_looks = if last_words.metrics.requests_in_flight.get() == 0 { idle_looks + 1 } else { 0 };
    }
    last_words.say().await;
    std::process::exit(i32::from(last_words.failed.load(Ordering::Relaxed)));
}
