//! Which drained events stay in Redis for a while: a Postgres that failed over to an older state can then be fed again.

use std::collections::VecDeque;

use config::ledger_sync::Drain as Settings;
use metering::live::Fence;
use metering::live::owner::OwnerLink;
use metering::{Body, Event, OpId, TimeMs};

use crate::interruption::Interruption;

/// Events younger than this stay whatever their number: a debit that is under way may still be given back by its event,
/// and no debit can arrive later than this after it was asked for.
const YOUNG_MS: u64 = 30_000;

/// One recorded batch that is still in the stream.
struct Batch {
    last: u64,
    at: TimeMs,
    closed: Vec<OpId>,
}

/// The recorded batches that are still in the stream, oldest first.
pub struct Retention {
    keep_ms: u64,
    keep_events: u64,
    batches: VecDeque<Batch>,
    keep_from: u64,
}

impl Retention {
    /// Nothing yet.
    pub fn new(settings: &Settings) -> Self {
        let (keep_ms, keep_events) = (settings.retention_ms, settings.retention_events);
        Self { keep_ms, keep_events, batches: VecDeque::new(), keep_from: 0 }
    }

    /// Reads what an earlier owner has kept, up to what the book has.
    pub async fn remember(
        &mut self,
        link: &mut OwnerLink,
        fence: &Fence,
        applied: u64,
        page: usize,
    ) -> Result<(), Interruption> {
        let mut from = 0;
        while from <= applied {
            let mut events = link.events_from(fence, from, page).await?;
            events.retain(|event| event.id.sequence <= applied);
            let Some(last) = events.last() else { break };
            let (sequence, at) = (last.id.sequence, last.at);
            let closed = self.closed_marks(&events);
            self.recorded(sequence, at, closed);
            from = sequence.saturating_add(1);
        }
        Ok(())
    }

    /// The closed marks that these events have made: they go when the events go.
    #[expect(clippy::unused_self, reason = "which events leave marks is this type's knowledge")]
    pub fn closed_marks(&self, events: &[Event]) -> Vec<OpId> {
        let mark = |event: &Event| match event.body {
            Body::GiveBack { debit_op, .. } | Body::Undo { debit_op, .. } => Some(debit_op),
            _ => None,
        };
        events.iter().filter_map(mark).collect()
    }

    /// A batch is in the book.
    pub fn recorded(&mut self, last: u64, at: TimeMs, closed: Vec<OpId>) {
        self.batches.push_back(Batch { last, at, closed });
    }

    /// What can go now: the first sequence to keep, and the marks that go with what is before it. The last drained event stays.
    pub fn let_go(&mut self, drained: u64, now: TimeMs) -> (u64, Vec<OpId>) {
        let mut closed = Vec::new();
        while let Some(batch) = self.batches.front() {
            let old = now.since(batch.at) > self.keep_ms;
            let many = drained.saturating_sub(batch.last) >= self.keep_events;
            let young = now.since(batch.at) <= YOUNG_MS;
            if batch.last >= drained || young || !(old || many) {
                break;
            }
            self.keep_from = batch.last.saturating_add(1);
            closed.extend(self.batches.pop_front().map(|batch| batch.closed).unwrap_or_default());
        }
        (self.keep_from.min(drained), closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: TimeMs = TimeMs::new(3_600_000);

    fn retention() -> Retention {
        Retention { keep_ms: 600_000, keep_events: 100, batches: VecDeque::new(), keep_from: 0 }
    }

    #[test]
    fn old_events_go_and_the_last_one_stays() {
        let mut kept = retention();
        let op = OpId::from_uuid(uuid::Uuid::from_u128(1));
        kept.recorded(10, HOUR, vec![op]);
        kept.recorded(20, HOUR, vec![]);
        assert_eq!(kept.let_go(20, HOUR.plus_ms(600_000)), (0, vec![]));
        assert_eq!(kept.let_go(20, HOUR.plus_ms(600_001)), (11, vec![op]));
        assert_eq!(kept.let_go(20, HOUR.plus_ms(900_000)), (11, vec![]), "the last drained event stays");
    }

    #[test]
    fn many_events_go_sooner_but_not_while_a_give_back_may_need_them() {
        let mut kept = retention();
        kept.recorded(10, HOUR, vec![]);
        kept.recorded(200, HOUR, vec![]);
        assert_eq!(kept.let_go(200, HOUR.plus_ms(YOUNG_MS)).0, 0);
        assert_eq!(kept.let_go(200, HOUR.plus_ms(YOUNG_MS + 1)).0, 11);
    }
}
