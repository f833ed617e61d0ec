//! What became of the calls, by kind and over time.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use crate::call::{Answer, Failure};
use crate::mix::Kind;
use crate::plan::Call;
use crate::spread::Times;

/// When a call was due, sent, and at its end.
#[derive(Clone, Copy)]
pub struct Timing {
    /// Latency counts from here: a call that had to wait for a free connection waited, whoever let it.
    pub due: Instant,
    pub sent: Instant,
    pub ended: Instant,
}

pub struct Record {
    /// Calls that were due from here on are measured; those before warm up.
    from: Instant,
    pub kinds: [Side; Kind::ALL.len()],
    /// From when a call was due to when it was sent.
    pub late: Times,
    pub events: Streams,
    pub seconds: Vec<Second>,
    second: Times,
    second_failures: u64,
    /// Calls that came to an end, warm-up included.
    pub ended: u64,
    /// By account, warm-up included.
    pub drawn: Vec<Drawn>,
}

/// What the callers of one account were told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawn {
    /// Credits that whole answers cost.
    pub told: u64,
    /// Calls that were sent and have no whole answer.
    pub unsure: u64,
}

/// Calls of one kind.
pub struct Side {
    pub calls: u64,
    pub served: u64,
    pub failed: u64,
    /// What callers were told that served calls cost.
    pub credits: u64,
    pub answers: BTreeMap<String, u64>,
    /// From when a call was due to the end of its answer.
    pub latency: Times,
    /// The same from when it was sent.
    pub service: Times,
}

/// Streams of events.
pub struct Streams {
    pub whole: u64,
    pub broken: u64,
    /// Of whole streams.
    pub events: u64,
    pub gaps: Times,
}

/// One second of the run.
#[derive(Clone, Debug, Serialize)]
pub struct Second {
    /// Calls that came to an end.
    pub calls: u64,
    pub failed: u64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub max_us: f64,
}

impl Record {
    pub fn new(from: Instant, accounts: usize) -> Record {
        Record {
            from,
            kinds: Kind::ALL.map(|_| Side::new()),
            late: Times::new(),
            events: Streams { whole: 0, broken: 0, events: 0, gaps: Times::new() },
            seconds: Vec::new(),
            second: Times::new(),
            second_failures: 0,
            ended: 0,
            drawn: vec![Drawn::default(); accounts],
        }
    }

    pub fn add(&mut self, call: Call, account: usize, timing: Timing, answer: &Answer) {
        self.ended += 1;
        match answer.failure {
            None => self.drawn[account].told += answer.credits,
            Some(Failure::Connect) => {}
            Some(_) => self.drawn[account].unsure += 1,
        }
        if timing.due < self.from {
            return;
        }
        self.turn_seconds(timing.ended);
        self.kinds[call.kind.place()].add(timing, answer);
        self.late.add(timing.sent.duration_since(timing.due));
        self.second.add(timing.ended.duration_since(timing.due));
        self.second_failures += u64::from(answer.failure.is_some());
        if let Some(events) = &answer.events {
            self.events.whole += u64::from(events.whole);
            self.events.broken += u64::from(!events.whole);
            self.events.events += if events.whole { events.count } else { 0 };
            events.gaps.iter().for_each(|gap| self.events.gaps.add(*gap));
        }
    }

    /// The last second is as long as it is.
    pub fn finish(&mut self) {
        if self.second.count() > 0 {
            self.end_second();
        }
    }

    /// Ends every second that is over now.
    fn turn_seconds(&mut self, now: Instant) {
        let over = usize::try_from(now.duration_since(self.from).as_secs()).unwrap_or(usize::MAX);
        while self.seconds.len() < over {
            self.end_second();
        }
    }

    fn end_second(&mut self) {
        let spread = self.second.spread();
        let failed = std::mem::take(&mut self.second_failures);
        let second = Second { calls: spread.count, failed, p50_us: spread.p50, p99_us: spread.p99, max_us: spread.max };
        self.seconds.push(second);
        self.second.clear();
    }
}

impl Side {
    fn new() -> Side {
        Side {
            calls: 0,
            served: 0,
            failed: 0,
            credits: 0,
            answers: BTreeMap::new(),
            latency: Times::new(),
            service: Times::new(),
        }
    }

    fn add(&mut self, timing: Timing, answer: &Answer) {
        self.calls += 1;
        self.served += u64::from(answer.served());
        self.failed += u64::from(answer.failure.is_some());
        self.credits += if answer.served() { answer.credits } else { 0 };
        *self.answers.entry(answer.label()).or_default() += 1;
        // How long callers waited who were answered, or gave up. A connection that broke at once says nothing about waiting.
        if matches!(answer.failure, None | Some(Failure::Timeout)) {
            self.latency.add(timing.ended.duration_since(timing.due));
            self.service.add(timing.ended.duration_since(timing.sent));
        }
    }

    pub fn merge(&mut self, other: &Side) {
        self.calls += other.calls;
        self.served += other.served;
        self.failed += other.failed;
        self.credits += other.credits;
        for (label, count) in &other.answers {
            *self.answers.entry(label.clone()).or_default() += count;
        }
        self.latency.merge(&other.latency);
        self.service.merge(&other.service);
    }

    /// All kinds together.
    pub fn all(kinds: &[Side]) -> Side {
        let mut all = Side::new();
        for side in kinds {
            all.merge(side);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn call(kind: Kind) -> Call {
        Call { kind, key: 0, due: None }
    }

    fn timing(from: Instant, due_ms: u64, sent_ms: u64, ended_ms: u64) -> Timing {
        let at = |ms| from + Duration::from_millis(ms);
        Timing { due: at(due_ms), sent: at(sent_ms), ended: at(ended_ms) }
    }

    fn served() -> Answer {
        Answer { status: 200, credits: 2, ..Answer::default() }
    }

    #[test]
    fn waiting_for_a_connection_is_waiting() {
        let from = Instant::now();
        let mut record = Record::new(from, 1);
        record.add(call(Kind::Json), 0, timing(from, 0, 90, 100), &served());
        let side = &record.kinds[Kind::Json.place()];
        assert!((side.latency.spread().max / 100_000.0 - 1.0).abs() < 0.002);
        assert!((side.service.spread().max / 10_000.0 - 1.0).abs() < 0.002);
        assert!((record.late.spread().max / 90_000.0 - 1.0).abs() < 0.002);
    }

    #[test]
    fn what_was_due_before_the_measurement_is_not_measured() {
        let began = Instant::now();
        let mut record = Record::new(began + Duration::from_secs(1), 1);
        record.add(call(Kind::Json), 0, timing(began, 500, 500, 1_500), &served());
        assert_eq!((record.ended, record.kinds[0].calls, record.drawn[0].told), (1, 0, 2));
    }

    #[test]
    fn a_broken_connection_is_an_error_and_no_latency_and_a_timeout_is_both() {
        let from = Instant::now();
        let mut record = Record::new(from, 1);
        for failure in [Failure::Connect, Failure::NoAnswer, Failure::Broken, Failure::Timeout] {
            let answer = Answer { failure: Some(failure), ..served() };
            record.add(call(Kind::Json), 0, timing(from, 0, 0, 100), &answer);
        }
        let side = &record.kinds[0];
        assert_eq!((side.calls, side.failed, side.served, side.credits, side.latency.count()), (4, 4, 0, 0, 1));
        assert_eq!(side.answers.len(), 4);
        assert_eq!((record.drawn[0].told, record.drawn[0].unsure), (0, 3), "what was never sent drew nothing");
    }

    #[test]
    fn seconds_without_an_answer_are_seconds() {
        let from = Instant::now();
        let mut record = Record::new(from, 1);
        record.add(call(Kind::Json), 0, timing(from, 0, 0, 100), &served());
        record.add(call(Kind::Free), 0, timing(from, 0, 0, 3_100), &served());
        record.finish();
        let calls: Vec<u64> = record.seconds.iter().map(|second| second.calls).collect();
        assert_eq!(calls, [1, 0, 0, 1]);
        let all = Side::all(&record.kinds);
        assert_eq!((all.calls, all.credits, all.answers["200"]), (2, 4, 2));
    }
}
