//! What is owed to callers and could not be done at once, sent to Redis again until it takes it: give-backs and undos, settlements of
//! holds, and the word that the request under an `Idempotency-Key` is over, which nobody waits for.
//!
//! All are idempotent by an op, so sending one again is always safe. The queue is bounded; it is worked off on a
//! runtime of its own, so that it can be flushed after the proxy's runtimes are gone.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use metering::live::{GiveBack, GiveBackOutcome, Meter, Settle, SettleOutcome, Undo, UndoOutcome};
use metering::{AccountId, IdempotencyKey, OpId, TimeMs};
use tokio::sync::mpsc;

use crate::meter_call::within;
use crate::metrics::{Metrics, until_none};

/// Restitutions in flight at once: enough that those of a shard being rebuilt don't hold up the others.
const CONCURRENT: usize = 1_024;

pub enum Restitution {
    GiveBack(GiveBack),
    Undo(Undo),
    Settle(Settle),
    Answered(Answered),
}

/// The request under an `Idempotency-Key` is over.
#[derive(Clone, Copy)]
pub struct Answered {
    pub account: AccountId,
    pub key: IdempotencyKey,
    pub debit_op: OpId,
    /// From then on nobody needs to be told.
    pub in_use_until: TimeMs,
}

impl Restitution {
    /// Names of the kinds, for metrics.
    pub const KINDS: [&'static str; 4] = ["give_back", "undo", "settle", "answered"];

    /// The place of its kind among them.
    pub fn kind(&self) -> usize {
        match self {
            Self::GiveBack(_) => 0,
            Self::Undo(_) => 1,
            Self::Settle(_) => 2,
            Self::Answered(_) => 3,
        }
    }

    fn debit(&self) -> (OpId, AccountId) {
        match self {
            Self::GiveBack(ask) => (ask.debit_op, ask.account),
            Self::Undo(ask) => (ask.debit_op, ask.account),
            Self::Settle(ask) => (ask.debit_op, ask.account),
            Self::Answered(word) => (word.debit_op, word.account),
        }
    }
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
                until_taken(&meter, &restitution, wait_max, pauses).await;
                config::failpoint("restitution.after");
                metrics.restitutions_open.dec();
            }
        });
        (restitutions, work)
    }

    pub fn add(&self, restitution: Restitution) {
        let half_full = self.sender.capacity() < self.sender.max_capacity() / 2;
        if half_full && matches!(restitution, Restitution::Answered(_)) {
            return; // the rest of the room is for credits; a repeat is told "in flight" somewhat longer
        }
        self.metrics.restitutions_open.inc();
        self.metrics.restitution_added(&restitution);
        if let Err(refused) = self.sender.try_send(restitution) {
            self.metrics.restitutions_open.dec();
            self.metrics.restitutions_dropped.inc();
            let refused = refused.into_inner();
            let (kind, (debit_op, account)) = (Restitution::KINDS[refused.kind()], refused.debit());
            tracing::error!(%debit_op, %account, "the queue of restitutions is full: the {kind} of debit {debit_op} is lost");
        }
    }

    /// Waits until nothing is owed, or the limit has passed; answers how many are still owed.
    pub async fn flush(&self, limit: Duration) -> i64 {
        until_none(&self.metrics.restitutions_open, limit).await
    }
}

async fn until_taken(meter: &Meter, restitution: &Restitution, wait_max: Duration, pauses: Pauses) {
    config::failpoint("restitution.before");
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
        Restitution::Settle(ask) => {
            matches!(within(wait_max, meter.settle(ask)).await, Ok(outcome) if outcome != SettleOutcome::Deferred)
        }
        Restitution::Answered(word) => {
            within(wait_max, meter.answered(word.account, word.key, word.debit_op)).await.is_ok()
                || meter.shard_now_of(&word.account) >= word.in_use_until
        }
    }
}
