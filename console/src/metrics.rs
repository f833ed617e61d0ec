//! What Prometheus sees of pages and answers.

use std::time::Duration;

use frame::Register;
use prometheus::{Histogram, IntCounterVec, IntGauge, Registry};

/// A page takes milliseconds; 50 ms is the limit for the book's part of it.
const SECONDS: [f64; 11] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// The metrics of the process, each with unit and help.
pub struct Metrics {
    /// Where they are gathered.
    pub registry: Registry,
    /// 1 while the book answers and fits.
    pub book_answers: IntGauge,
    /// Pages that are told of changes now.
    pub live: IntGauge,
    answers: IntCounterVec,
    seconds: Histogram,
}

impl Metrics {
    /// Registers all of them.
    pub fn new() -> Result<Self, prometheus::Error> {
        let new = Register::new("console")?;
        Ok(Self {
            book_answers: new.gauge("book_answers", "1 while the book answers and fits this program")?,
            live: new.gauge("live_pages", "Pages that are told of changes now")?,
            answers: new.counters("answers_total", "Answers, by kind and status", &["kind", "status"])?,
            seconds: new.seconds("answer_seconds", "Time until the header of an answer, seconds", &SECONDS)?,
            registry: new.into_registry(),
        })
    }

    /// One answer; `kind` is page, api or asset.
    pub fn answered(&self, kind: &str, status: u16, took: Duration) {
        self.answers.with_label_values(&[kind, &status.to_string()]).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}
