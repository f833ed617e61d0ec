//! What is counted for people, and how far that is behind the book.

use frame::Register;
use metering::Shard;
use prometheus::{IntCounter, IntGaugeVec};

use crate::metrics::gauge_value;

/// Counts of this process.
pub struct UsageMetrics {
    /// Entries counted.
    pub entries: IntCounter,
    /// Passes that failed.
    pub failed: IntCounter,
    /// Low-balance mails queued.
    pub low_balance_mails: IntCounter,
    lag: IntGaugeVec,
}

impl UsageMetrics {
    pub(super) fn new(new: &Register) -> Result<Self, prometheus::Error> {
        Ok(Self {
            entries: new.counter("usage_entries_total", "Entries counted by day, key and route")?,
            failed: new.counter("usage_failed_total", "Looks at a shard's usage and low balances that failed")?,
            low_balance_mails: new.counter("low_balance_mails_total", "Low-balance mails queued")?,
            lag: new.gauges(
                "usage_lag_ms",
                "How far what is counted of a shard's usage is behind the book, ms",
                "shard",
            )?,
        })
    }

    /// How far the count is behind the book.
    pub fn lag(&self, shard: Shard, ms: u64) {
        self.lag.with_label_values(&[&shard.to_string()]).set(gauge_value(ms));
    }

    /// Another process counts it from now on.
    pub fn let_go(&self, shard: Shard) {
        let _ = self.lag.remove_label_values(&[&shard.to_string()]); // a figure that was never shown is as good
    }
}
