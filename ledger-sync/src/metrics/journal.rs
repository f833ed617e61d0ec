//! What came of gateways' journals.

use frame::Register;
use prometheus::IntCounter;

/// Counts of this process.
pub struct JournalMetrics {
    /// Records taken.
    pub records: IntCounter,
    /// Batches not taken.
    pub refused: IntCounter,
    /// Debits that were not in the book when they were posted.
    pub debits_waiting: IntCounter,
    /// Debits found lost.
    pub lost_debits: IntCounter,
    /// What they had drawn.
    pub lost_credits: IntCounter,
    /// Give-backs and settlements asked for in a gateway's place.
    pub returns_asked: IntCounter,
}

impl JournalMetrics {
    pub(super) fn new(new: &Register) -> Result<Self, prometheus::Error> {
        Ok(Self {
            records: new.counter("journal_records_total", "Records of gateways' journals taken")?,
            refused: new.counter("journal_refused_total", "Batches of journals not taken; gateways send them again")?,
            debits_waiting: new.counter("journal_waiting_total", "Debits posted before they were in the book")?,
            lost_debits: new
                .counter("lost_debits_total", "Debits lost with live state, as gateways witness; alert on any")?,
            lost_credits: new.counter("lost_credits_total", "Credits that lost debits had drawn")?,
            returns_asked: new
                .counter("returns_asked_total", "Give-backs and settlements that were lost and asked for again")?,
        })
    }
}
