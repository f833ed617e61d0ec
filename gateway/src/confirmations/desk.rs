//! What waits to be said about debits, by shard: one call at a time for each, so that one being rebuilt does not hold up the others.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use metering::live::{Confirm, ConfirmOutcome, Progress};
use metering::{OpId, Shard, ShardCount, TimeMs};

use crate::confirmations::live::Live;
use crate::meter_call::Unanswered;
use crate::metrics::{ConfirmLabel, Metrics};
use crate::restitution::Pauses;

/// Words of one call. At 10 to 25 µs each, as measured, Redis is not kept from debits for long.
pub(super) const BATCH_MAX: usize = 64;

/// One call's words: confirmations first, then those that go on.
pub(super) struct Batch {
    pub asks: Vec<Confirm>,
    /// How many of the first may have been taken by a call before, whose answer was lost.
    unsure: usize,
}

/// A call and its answer.
pub(super) struct Sent {
    pub shard: Shard,
    pub batch: Batch,
    pub answer: Result<Vec<ConfirmOutcome>, Unanswered>,
}

#[derive(Default)]
struct Desk {
    over: VecDeque<Confirm>,
    /// How many of the first may have been taken already.
    unsure: usize,
    going: VecDeque<OpId>,
    busy: bool,
    /// After a call in vain: nothing is sent before.
    not_before: Option<Instant>,
    pause: Duration,
}

pub(super) struct Desks {
    by_shard: HashMap<Shard, Desk>,
    pauses: Pauses,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
}

impl Desks {
    pub fn new(pauses: Pauses, live: Arc<Live>, metrics: Arc<Metrics>) -> Self {
        Self { by_shard: HashMap::new(), pauses, live, metrics }
    }

    pub fn are_empty(&self) -> bool {
        self.by_shard.values().all(|desk| desk.over.is_empty() && desk.going.is_empty())
    }

    pub fn place(&mut self, shard: Shard, word: Confirm) {
        self.by_shard.entry(shard).or_default().over.push_back(word);
    }

    /// Nobody knows where it belongs.
    pub fn give_up(&self, word: &Confirm) {
        self.metrics.confirms.waiting.dec();
        self.metrics.confirms.dropped.inc();
        tracing::error!(debit_op = %word.debit_op, "debit {} can't be confirmed: no shard is known", word.debit_op);
    }

    /// Requests that have to say by now that they go on.
    pub fn take_due(&mut self, count: ShardCount) {
        for (op, account) in self.live.take_due(Instant::now()) {
            self.by_shard.entry(account.shard(count)).or_default().going.push_back(op);
        }
    }

    /// One call for each shard that has something to say and is not being asked. `shard_now`: deadlines are times of shards.
    pub fn batches(&mut self, now: Instant, shard_now: impl Fn(Shard) -> TimeMs) -> Vec<(Shard, Batch)> {
        let mut batches = Vec::new();
        for (shard, desk) in &mut self.by_shard {
            if desk.busy || desk.not_before.is_some_and(|at| now < at) {
                continue;
            }
            let batch = desk.next(&self.live, shard_now(*shard));
            if !batch.asks.is_empty() {
                desk.busy = true;
                batches.push((*shard, batch));
            }
        }
        batches
    }

    pub fn answered(&mut self, sent: Sent) {
        let Sent { shard, batch, answer } = sent;
        let desk = self.by_shard.entry(shard).or_default();
        desk.busy = false;
        match answer {
            Ok(outcomes) => {
                (desk.not_before, desk.pause) = (None, Duration::ZERO);
                let now = Instant::now();
                for (number, (ask, outcome)) in batch.asks.iter().zip(outcomes).enumerate() {
                    self.taken(ask, outcome, number < batch.unsure, now);
                }
            }
            Err(unanswered) => {
                desk.pause = (desk.pause * 2).clamp(self.pauses.min, self.pauses.max);
                desk.not_before = Some(Instant::now() + desk.pause);
                desk.take_back(batch, matches!(unanswered, Unanswered::Unknown));
                tracing::debug!(%shard, "confirmations of {shard} wait");
            }
        }
    }

    fn taken(&self, ask: &Confirm, outcome: ConfirmOutcome, unsure: bool, now: Instant) {
        let confirms = &self.metrics.confirms;
        match (ask.progress, outcome) {
            (Progress::GoesOn { .. }, ConfirmOutcome::AlreadyClosed) => self.live.end(ask.debit_op), // counted when it is over
            (Progress::GoesOn { .. }, _) => {
                confirms.extensions.inc();
                self.live.said(ask.debit_op, now);
            }
            (Progress::Over { .. }, outcome) => {
                confirms.waiting.dec();
                confirms.taken(match outcome {
                    ConfirmOutcome::AlreadyClosed if unsure => ConfirmLabel::Repeated,
                    ConfirmOutcome::AlreadyClosed => ConfirmLabel::Late,
                    ConfirmOutcome::Confirmed | ConfirmOutcome::Extended => ConfirmLabel::Confirmed,
                });
            }
        }
    }
}

impl Desk {
    fn next(&mut self, live: &Live, shard_now: TimeMs) -> Batch {
        let most = self.over.len().min(BATCH_MAX);
        let mut asks: Vec<Confirm> = self.over.drain(..most).collect();
        let unsure = self.unsure.min(most);
        self.unsure -= unsure;
        while asks.len() < BATCH_MAX
            && let Some(op) = self.going.pop_front()
        {
            // Whoever is over meanwhile has said so.
            if let Some(going) = live.get(op) {
                let deadline_ms = u64::try_from(going.deadline.as_millis()).unwrap_or(u64::MAX);
                let progress = Progress::GoesOn { hold_until: shard_now.plus_ms(deadline_ms) };
                asks.push(Confirm { debit_op: op, account: going.account, progress });
            }
        }
        Batch { asks, unsure }
    }

    /// In the order they had.
    fn take_back(&mut self, batch: Batch, unsure: bool) {
        let mut over = 0;
        for ask in batch.asks.into_iter().rev() {
            match ask.progress {
                Progress::GoesOn { .. } => self.going.push_front(ask.debit_op),
                Progress::Over { .. } => {
                    self.over.push_front(ask);
                    over += 1;
                }
            }
        }
        self.unsure += if unsure { over } else { batch.unsure };
    }
}

#[cfg(test)]
mod tests {
    use metering::{AccountId, Credits, Ended, RequestOutcome};
    use uuid::Uuid;

    use super::*;
    use crate::confirmations::live::Going;

    const NOW: TimeMs = TimeMs::new(1_000);

    fn op(number: u128) -> OpId {
        OpId::from_uuid(Uuid::from_u128(number))
    }

    fn over(number: u128) -> Confirm {
        let outcome = RequestOutcome { upstream_status: None, answer_bytes: 0, duration_ms: 0, ended: Ended::Complete };
        let progress = Progress::Over { credits: Credits::MAX, outcome };
        Confirm { debit_op: op(number), account: AccountId::from_uuid(Uuid::nil()), progress }
    }

    fn ops(batch: &Batch) -> Vec<OpId> {
        batch.asks.iter().map(|ask| ask.debit_op).collect()
    }

    #[test]
    fn what_was_not_taken_goes_again_before_what_came_later_and_is_known_to_be_unsure() {
        let (live, mut desk) = (Live::default(), Desk::default());
        desk.over.extend([over(1), over(2)]);
        let first = desk.next(&live, NOW);
        desk.over.push_back(over(3));
        desk.take_back(first, true);
        let second = desk.next(&live, NOW);
        assert_eq!((ops(&second), second.unsure), (vec![op(1), op(2), op(3)], 2));
        desk.take_back(second, false);
        let third = desk.next(&live, NOW);
        assert_eq!((ops(&third), third.unsure), (vec![op(1), op(2), op(3)], 2), "once unsure, always so");
    }

    #[test]
    fn a_call_is_bounded_and_speaks_only_for_requests_that_still_go_on() {
        let (live, mut desk) = (Live::default(), Desk::default());
        let (account, deadline) = (AccountId::from_uuid(Uuid::nil()), Duration::from_secs(3));
        live.begin(op(900), Going { account, deadline, due: Instant::now() });
        desk.going.extend([op(899), op(900)]);
        desk.over.extend((0..66).map(over));
        assert_eq!(desk.next(&live, NOW).asks.len(), BATCH_MAX);
        let rest = desk.next(&live, NOW);
        assert_eq!(ops(&rest), [op(64), op(65), op(900)]);
        let until = Progress::GoesOn { hold_until: NOW.plus_ms(3_000) };
        assert_eq!(rest.asks[2].progress, until, "by the clock of the shard");
    }
}
