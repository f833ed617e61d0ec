//! What is owed to callers and could not be returned at once: give-backs and undos, sent again until Redis takes them.
//!
//! Both are idempotent by their own op, so sending one again is always safe. The queue is bounded; it is worked off on a
//! runtime of its own, so that it can be flushed after the proxy's runtimes are gone.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use metering::live::{GiveBack, GiveBackOutcome, Meter, Undo, UndoOutcome};
use tokio::sync::mpsc;

use crate::meter_call::within;
use crate::metrics::Metrics;

/// Restitutions in flight at once: enough that those of a shard being rebuilt don't hold up the others.
const CONCURRENT: usize = 1_024;

pub enum Restitution {
    GiveBack(GiveBack),
    Undo(Undo),
}

/// The queue's entry; cheap to clone.
#[derive(Clone)]
pub struct Restitutions {
    sender: mpsc::Sender<Restitution>,
    metrics: Arc<Metrics>,
}

/// Pause between two tries of the same restitution; doubles from the first to the second.
#[derive(Clone, Copy)]
pub struct Pauses {
    pub min: Duration,
    pub max: Duration,
}

impl Restitutions {
    /// The entry, and the work to be spawned.
    pub fn new(
        queue_max: usize,
        pauses: Pauses,
        meter: Meter,
        wait_max: Duration,
        metrics: Arc<Metrics>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(queue_max.max(1));
        let restitutions = Self { sender, metrics: metrics.clone() };
        let queue =
            futures::stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        let work = queue.for_each_concurrent(CONCURRENT, move |restitution| {
            let (meter, metrics) = (meter.clone(), metrics.clone());
            async move {
                settle(&meter, &restitution, wait_max, pauses).await;
                metrics.restitutions_open.dec();
            }
        });
        (restitutions, work)
    }

    pub fn add(&self, restitution: Restitution) {
        self.metrics.restitutions_open.inc();
        self.metrics.restitution_added(&restitution);
        if let Err(refused) = self.sender.try_send(restitution) {
            self.metrics.restitutions_open.dec();
            self.metrics.restitutions_dropped.inc();
            let (debit_op, account) = match refused.into_inner() {
                Restitution::GiveBack(ask) => (ask.debit_op, ask.account),
                Restitution::Undo(ask) => (ask.debit_op, ask.account),
            };
            tracing::error!(%debit_op, %account, "the queue of restitutions is full: debit {debit_op} was not returned");
        }
    }

    /// Waits until nothing is owed, or the limit has passed; answers how many are still owed.
    pub async fn flush(&self, limit: Duration) -> i64 {
        let step = Duration::from_millis(10);
        let mut waited = Duration::ZERO;
        while self.metrics.restitutions_open.get() > 0 && waited < limit {
            tokio::time::sleep(step).await;
            waited += step;
        }
        self.metrics.restitutions_open.get()
    }
}

async fn settle(meter: &Meter, restitution: &Restitution, wait_max: Duration, pauses: Pauses) {
    let mut pause = pauses.min;
    while !try_once(meter, restitution, wait_max).await {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(pauses.max);
    }
}

async fn try_once(meter: &Meter, restitution: &Restitution, wait_max: Duration) -> bool {
    match restitution {
        Restitution::GiveBack(ask) => {
            matches!(within(wait_max, meter.give_back(ask)).await, Ok(outcome) if outcome != GiveBackOutcome::Deferred)
        }
        Restitution::Undo(ask) => {
            matches!(within(wait_max, meter.undo(ask)).await, Ok(outcome) if outcome != UndoOutcome::Deferred)
        }
    }
}
