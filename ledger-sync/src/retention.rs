//! Which drained events stay in Redis for a while: a Postgres that failed over to an older state can then be fed again.

use std::collections::VecDeque;

use config::ledger_sync::Drain as Settings;
use metering::live::Fence;
use metering::live::owner::OwnerLink;
use metering::{Body, OpId, StreamEntry, TimeMs};

use crate::drain::time_of;
use crate::interruption::Interruption;

/// Events younger than this stay whatever their number: a debit that is under way may still be given back by its event,
/// and no debit can arrive later than this after it was asked for.
const YOUNG_MS: u64 = 30_000;

/// Marks that go in one call, or somewhat more: on a route that confirms every debit leaves one, and Redis must not be kept from callers.
const MARKS_AT_ONCE: usize = 2_000;

/// The closed marks that events have made: they go when the events go.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Marks {
    ops: Vec<OpId>,
    /// Until then a debit that was undone may still arrive, and only its mark keeps it out: drawn all the same, and then given back by
    /// its event, it would be returned twice.
    needed_until: TimeMs,
}

impl Marks {
    pub fn of(entries: &[StreamEntry]) -> Self {
        let mut marks = Self::default();
        for event in entries.iter().filter_map(|entry| entry.event.as_ref().ok()) {
            match event.body {
                Body::GiveBack { debit_op, .. } | Body::Confirm { debit_op, .. } => marks.ops.push(debit_op),
                Body::Undo { debit_op, not_after, .. } => {
                    marks.ops.push(debit_op);
                    marks.needed_until = marks.needed_until.max(not_after);
                }
                _ => {}
            }
        }
        marks
    }
}

/// One recorded batch that is still in the stream.
struct Batch {
    last: u64,
    at: TimeMs,
    marks: Marks,
}

/// What an earlier owner has kept, as far as it was read.
struct Earlier {
    next: u64,
    applied: u64,
    batches: VecDeque<Batch>,
}

/// The recorded batches that are still in the stream, oldest first.
pub struct Retention {
    keep_ms: u64,
    keep_events: u64,
    batches: VecDeque<Batch>,
    keep_from: u64,
    /// Read page by page while the shard is served, because a long memory must not keep callers waiting. Until then all stays.
    earlier: Option<Earlier>,
}

impl Retention {
    /// Nothing of our own yet; an earlier owner may have kept events up to what the book has applied.
    pub fn new(settings: &Settings, applied: Option<u64>) -> Self {
        let (keep_ms, keep_events) = (settings.retention_ms, settings.retention_events);
        let earlier = applied.map(|applied| Earlier { next: 0, applied, batches: VecDeque::new() });
        Self { keep_ms, keep_events, batches: VecDeque::new(), keep_from: 0, earlier }
    }

    /// Reads one page of what an earlier owner has kept; answers whether there is more.
    pub async fn remember(&mut self, link: &mut OwnerLink, fence: &Fence, page: usize) -> Result<bool, Interruption> {
        let Some(earlier) = &self.earlier else { return Ok(false) };
        let entries = link.entries_from(fence, earlier.next, page).await?;
        Ok(self.remembered(entries))
    }

    fn remembered(&mut self, mut entries: Vec<StreamEntry>) -> bool {
        let Some(mut earlier) = self.earlier.take() else { return false };
        entries.retain(|entry| entry.id.sequence <= earlier.applied);
        if let Some(last) = entries.last() {
            let marks = Marks::of(&entries);
            let at =
                time_of(&entries).or_else(|| earlier.batches.back().map(|batch| batch.at)).unwrap_or(TimeMs::EPOCH);
            earlier.batches.push_back(Batch { last: last.id.sequence, at, marks });
            earlier.next = last.id.sequence.saturating_add(1);
            self.earlier = Some(earlier);
            return true;
        }
        earlier.batches.append(&mut self.batches);
        self.batches = earlier.batches;
        false
    }

    /// A batch is in the book.
    pub fn recorded(&mut self, last: u64, at: TimeMs, marks: Marks) {
        self.batches.push_back(Batch { last, at, marks });
    }

    /// What can go now: the first sequence to keep, and the marks that go with what is before it. The last drained event stays.
    pub fn let_go(&mut self, drained: u64, now: TimeMs) -> (u64, Vec<OpId>) {
        let mut closed = Vec::new();
        while let Some(batch) = self.batches.front().filter(|_| self.earlier.is_none()) {
            let old = now.since(batch.at) > self.keep_ms;
            let many = drained.saturating_sub(batch.last) >= self.keep_events;
            let young = now.since(batch.at) <= YOUNG_MS;
            let needed = now < batch.marks.needed_until;
            if closed.len() >= MARKS_AT_ONCE || batch.last >= drained || young || needed || !(old || many) {
                break;
            }
            self.keep_from = batch.last.saturating_add(1);
            closed.extend(self.batches.pop_front().map(|batch| batch.marks.ops).unwrap_or_default());
        }
        (self.keep_from.min(drained), closed)
    }
}

#[cfg(test)]
mod tests {
    use metering::{AccountId, Event, EventId};

    use super::*;

    const HOUR: TimeMs = TimeMs::new(3_600_000);

    const DEBIT: OpId = OpId::from_uuid(uuid::Uuid::from_u128(2));

    fn undo(sequence: u64, not_after: TimeMs) -> StreamEntry {
        let (account, op) = (AccountId::from_uuid(uuid::Uuid::nil()), OpId::from_uuid(uuid::Uuid::from_u128(1)));
        let body = Body::Undo { account, seq: sequence, op, debit_op: DEBIT, not_after, kept: None };
        let id = EventId { incarnation: 1, sequence };
        StreamEntry { id, fields: Vec::new(), event: Ok(Event { id, at: HOUR, body }) }
    }

    fn retention() -> Retention {
        Retention { keep_ms: 600_000, keep_events: 100, batches: VecDeque::new(), keep_from: 0, earlier: None }
    }

    #[test]
    fn old_events_go_and_the_last_one_stays() {
        let mut kept = retention();
        let op = OpId::from_uuid(uuid::Uuid::from_u128(1));
        kept.recorded(10, HOUR, Marks { ops: vec![op], ..Marks::default() });
        kept.recorded(20, HOUR, Marks::default());
        assert_eq!(kept.let_go(20, HOUR.plus_ms(600_000)), (0, vec![]));
        assert_eq!(kept.let_go(20, HOUR.plus_ms(600_001)), (11, vec![op]));
        assert_eq!(kept.let_go(20, HOUR.plus_ms(900_000)), (11, vec![]), "the last drained event stays");
    }

    #[test]
    fn many_events_go_sooner_but_not_while_a_give_back_may_need_them() {
        let mut kept = retention();
        kept.recorded(10, HOUR, Marks::default());
        kept.recorded(200, HOUR, Marks::default());
        assert_eq!(kept.let_go(200, HOUR.plus_ms(YOUNG_MS)).0, 0);
        assert_eq!(kept.let_go(200, HOUR.plus_ms(YOUNG_MS + 1)).0, 11);
    }

    #[test]
    fn the_mark_of_an_undone_debit_stays_while_the_debit_may_still_arrive() {
        let mut kept = retention();
        let event = undo(10, HOUR.plus_ms(700_000));
        let marks = Marks::of(std::slice::from_ref(&event));
        kept.recorded(10, HOUR, marks);
        kept.recorded(20, HOUR, Marks::default());
        assert_eq!(kept.let_go(20, HOUR.plus_ms(699_999)), (0, vec![]));
        assert_eq!(kept.let_go(20, HOUR.plus_ms(700_000)), (11, vec![DEBIT]));
    }

    #[test]
    fn marks_go_some_thousands_at_a_time() {
        let mut kept = retention();
        for batch in 1..=4 {
            let ops = vec![DEBIT; MARKS_AT_ONCE - 1];
            kept.recorded(batch * 10, HOUR, Marks { ops, needed_until: TimeMs::EPOCH });
        }
        let later = HOUR.plus_ms(900_000);
        let gone = |kept: &mut Retention| {
            let (keep_from, marks) = kept.let_go(100, later);
            (keep_from, marks.len())
        };
        assert_eq!(gone(&mut kept), (21, 2 * (MARKS_AT_ONCE - 1)));
        assert_eq!(gone(&mut kept), (41, 2 * (MARKS_AT_ONCE - 1)));
        assert_eq!(gone(&mut kept), (41, 0));
    }

    #[test]
    fn nothing_goes_before_all_that_an_earlier_owner_kept_is_known() {
        let mut kept = retention();
        kept.earlier = Some(Earlier { next: 0, applied: 7, batches: VecDeque::new() });
        let undo = |sequence| undo(sequence, HOUR);
        let later = HOUR.plus_ms(900_000);
        kept.recorded(20, later, Marks::default());
        assert!(kept.remembered(vec![undo(6), undo(7), undo(8)]), "8 is our own");
        assert_eq!(kept.let_go(20, later), (0, vec![]));
        assert!(!kept.remembered(vec![undo(8)]));
        assert_eq!(kept.let_go(20, later), (8, vec![DEBIT, DEBIT]));
    }
}
