//! What became of spans.

use prometheus::{IntCounter, Registry};

use super::labelled;

pub struct SpanMetrics {
    pub sent: IntCounter,
    /// Dropped because too many were waiting.
    pub queue_full: IntCounter,
    /// The collector did not answer, or refused.
    pub not_taken: IntCounter,
}

impl SpanMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let help = "Spans of sampled requests, by what became of them.";
        let outcomes = ["sent", "queue_full", "not_taken"];
        let [sent, queue_full, not_taken] = labelled(registry, "spans_total", help, "outcome", outcomes)?;
        Ok(Self { sent, queue_full, not_taken })
    }
}
