//! What became of the journal.

use prometheus::{IntCounter, IntGauge, Registry};

use super::{counter, gauge};

pub struct JournalMetrics {
    pub written: IntCounter,
    pub missed: IntCounter,
    pub refusals_left_out: IntCounter,
    pub bytes: IntGauge,
    pub posted: IntCounter,
    pub posts_failed: IntCounter,
}

impl JournalMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |short, help| counter(registry, short, help);
        Ok(Self {
            written: counter("journal_records_total", "Records written to the journal.")?,
            missed: counter(
                "journal_missed_total",
                "Records that could not be written (queue, disk or directory full or away); alert on any: a loss report is then incomplete.",
            )?,
            refusals_left_out: counter(
                "journal_refusals_left_out_total",
                "Refusals beyond journal.refusals_a_second, which are only counted.",
            )?,
            bytes: gauge(registry, "journal_bytes", "Size of the journal's files; what is posted is gone.")?,
            posted: counter("journal_posted_bytes_total", "Bytes of the journal that ledger-sync has taken.")?,
            posts_failed: counter(
                "journal_posts_failed_total",
                "Batches that no ledger-sync took; they are sent again.",
            )?,
        })
    }
}
