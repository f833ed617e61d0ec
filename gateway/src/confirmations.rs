//! Debits with a deadline: while their requests go on the deadline is moved, and when they are over they are confirmed, with how they ended.
//!
//! All of it goes to Redis in batches, off the request path, on the runtime of the restitutions. Words that Redis does not take wait and
//! are sent again, which is always safe: of what ends a debit the first counts. What is never taken is given back by the shard's owner.

mod desk;
mod live;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use metering::live::{Confirm, Meter, Progress};
use metering::{AccountId, Credits, OpId, RequestOutcome};
use tokio::sync::mpsc;

use crate::confirmations::desk::{BATCH_MAX, Desks, Sent};
use crate::confirmations::live::{Going, Live};
use crate::meter_call::within;
use crate::metrics::{Metrics, until_none};
use crate::restitution::Pauses;

/// How long words of one shard wait for company.
const LINGER: Duration = Duration::from_millis(20);
/// How often an idle task looks whether a deadline must be moved: often enough for the shortest that a route may have.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The entry; cheap to clone.
#[derive(Clone)]
pub struct Confirmations {
    sender: mpsc::Sender<Confirm>,
    waiting_max: i64,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
}

/// A debit that is to be confirmed. Dropped, nobody speaks for it any more: it was given back, or the owner will.
pub struct Deadline {
    op: OpId,
    account: AccountId,
    credits: Credits,
    started: Instant,
    confirmations: Confirmations,
}

impl Confirmations {
    /// The entry, and the work to be spawned. `waiting_max`: confirmations that may wait for Redis.
    pub fn new(
        waiting_max: usize,
        pauses: Pauses,
        meter: Meter,
        wait_max: Duration,
        metrics: Arc<Metrics>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(waiting_max.max(1));
        let live = Arc::new(Live::default());
        let waiting_max = i64::try_from(waiting_max).unwrap_or(i64::MAX);
        let work = Work {
            receiver,
            calls: Calls { meter, wait_max },
            desks: Desks::new(pauses, live.clone(), metrics.clone()),
            in_flight: FuturesUnordered::new(),
        };
        (Self { sender, waiting_max, live, metrics }, work.run())
    }

    /// A debit was drawn that must be confirmed within `deadline`, or say that it goes on; its request began at `started`.
    pub fn expect(
        &self,
        op: OpId,
        account: AccountId,
        credits: Credits,
        deadline: Duration,
        started: Instant,
    ) -> Deadline {
        self.live.begin(op, Going { account, deadline, due: started + deadline / 3 });
        Deadline { op, account, credits, started, confirmations: self.clone() }
    }

    fn add(&self, word: Confirm) {
        let waiting = &self.metrics.confirms.waiting;
        let debit_op = word.debit_op;
        waiting.inc();
        if waiting.get() > self.waiting_max || self.sender.try_send(word).is_err() {
            waiting.dec();
            self.metrics.confirms.dropped.inc();
            tracing::error!(%debit_op, "the queue of confirmations is full: debit {debit_op} will be given back at its deadline");
        }
    }

    /// Waits until everything is confirmed, or the limit has passed; answers how much is not.
    pub async fn flush(&self, limit: Duration) -> i64 {
        until_none(&self.metrics.confirms.waiting, limit).await
    }
}

impl Deadline {
    /// The request is over and the caller pays.
    pub fn over(self, outcome: RequestOutcome) {
        let progress = Progress::Over { credits: self.credits, outcome };
        self.confirmations.add(Confirm { debit_op: self.op, account: self.account, progress });
    }

    /// Since its request began.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.confirmations.live.end(self.op);
    }
}

#[derive(Clone)]
struct Calls {
    meter: Meter,
    wait_max: Duration,
}

struct Work {
    receiver: mpsc::Receiver<Confirm>,
    calls: Calls,
    desks: Desks,
    in_flight: FuturesUnordered<BoxFuture<'static, Sent>>,
}

impl Work {
    async fn run(mut self) {
        let mut words = Vec::with_capacity(BATCH_MAX);
        loop {
            let pause = if self.desks.are_empty() { LOOK_EVERY } else { LINGER };
            tokio::select! {
                received = self.receiver.recv_many(&mut words, BATCH_MAX) => {
                    if received == 0 {
                        return; // nobody is left who could say anything
                    }
                    self.place(&mut words);
                    // Others will have come by then.
                    tokio::time::sleep(LINGER).await;
                    while let Ok(word) = self.receiver.try_recv() {
                        words.push(word);
                    }
                    self.place(&mut words);
                }
                Some(sent) = self.in_flight.next() => self.desks.answered(sent),
                () = tokio::time::sleep(pause) => {}
            }
            self.send();
        }
    }

    /// To the desks of their shards. Live state has told how many there are before anything could be drawn.
    fn place(&mut self, words: &mut Vec<Confirm>) {
        let count = self.calls.meter.shard_count();
        for word in words.drain(..) {
            match count {
                Some(count) => self.desks.place(word.account.shard(count), word),
                None => self.desks.give_up(&word),
            }
        }
    }

    fn send(&mut self) {
        if let Some(count) = self.calls.meter.shard_count() {
            self.desks.take_due(count);
        }
        let now = Instant::now();
        for (shard, batch) in self.desks.batches(now, |shard| self.calls.meter.shard_now(shard)) {
            let calls = self.calls.clone();
            let call = async move {
                config::failpoint("confirm.before");
                let answer = within(calls.wait_max, calls.meter.confirm(shard, &batch.asks)).await;
                config::failpoint("confirm.after");
                Sent { shard, batch, answer }
            };
            self.in_flight.push(Box::pin(call));
        }
    }
}
