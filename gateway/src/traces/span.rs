//! What a sampled request notes on its way, and what is sent of it in the end.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use metering::OpId;

use super::context::{Parent, traceparent};
use crate::request_log::Line;

/// More steps than a request has; a bound for whoever adds one that repeats.
const STEPS_MAX: usize = 16;

/// A request that is sampled, as long as it is under way.
pub struct Trace {
    pub(super) id: u128,
    pub(super) parent: Option<Parent>,
    /// The request's own; those within follow it.
    pub(super) span: u64,
    pub(super) connected_at: Option<Instant>,
    taken: Mutex<Vec<Taken>>,
}

/// A step that was taken.
pub(super) struct Taken {
    pub name: &'static str,
    pub from: Instant,
    pub to: Instant,
    /// The code of a rejection, or what a debit came to.
    pub outcome: &'static str,
}

impl Trace {
    pub(super) fn new(parent: Option<Parent>, op: OpId) -> Self {
        let uuid = op.as_uuid();
        // The lower half of a UUID is never 0 and never near the end of numbers: its first two bits are 10.
        let (id, span) = (parent.map_or(uuid.as_u128(), |parent| parent.trace), uuid.as_u64_pair().1);
        Self { id, parent, span, connected_at: None, taken: Mutex::default() }
    }

    /// Whether the caller's trace goes on.
    pub fn is_continued(&self) -> bool {
        self.parent.is_some()
    }

    /// What the upstream is told: its spans belong to the one of the way to it.
    pub fn to_upstream(&self) -> String {
        traceparent(self.id, self.upstream_span(), self.parent.map_or(0, |parent| parent.flags))
    }

    /// A connection to the upstream stands.
    pub fn connected(&mut self) {
        self.connected_at = Some(Instant::now());
    }

    pub(super) fn upstream_span(&self) -> u64 {
        self.span + 1
    }

    pub(super) fn step_span(&self, number: usize) -> u64 {
        self.span + 2 + number as u64
    }

    pub(super) fn take_steps(&mut self) -> Vec<Taken> {
        std::mem::take(self.taken.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    fn steps(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// A step under way; nothing where the request is not sampled. One that is cut off leaves no span.
pub struct Step<'a>(Option<(&'a Trace, &'static str, Instant)>);

impl<'a> Step<'a> {
    pub fn begin(trace: Option<&'a Trace>, name: &'static str) -> Self {
        Self(trace.map(|trace| (trace, name, Instant::now())))
    }

    pub fn none() -> Self {
        Self(None)
    }

    pub fn end(self, outcome: &'static str) {
        let Some((trace, name, from)) = self.0 else { return };
        let mut taken = trace.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() < STEPS_MAX {
            taken.push(Taken { name, from, to: Instant::now(), outcome });
        }
    }
}

/// What of a request the log line does not say.
pub struct Outcome {
    pub started: Instant,
    pub ended: Instant,
    pub secure: bool,
    pub http2: bool,
    pub upstream_asked_at: Option<Instant>,
    pub upstream_status: Option<u16>,
    pub upstream_sends: u32,
}

/// A sampled request that is over.
pub struct Finished {
    pub trace: Box<Trace>,
    pub line: Line,
    pub outcome: Outcome,
}

impl Finished {
    /// How many spans it is.
    pub fn spans(&self) -> u64 {
        1 + u64::from(self.outcome.upstream_asked_at.is_some()) + self.trace.steps() as u64
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_span_of_a_trace_has_an_id_of_its_own_and_none_is_zero() {
        let trace = Trace::new(None, OpId::from_uuid(Uuid::now_v7()));
        let ids = [trace.span, trace.upstream_span(), trace.step_span(0), trace.step_span(1)];
        let different: std::collections::BTreeSet<u64> = ids.into_iter().filter(|id| *id != 0).collect();
        assert_eq!(different.len(), ids.len(), "{ids:?}");
    }
}
