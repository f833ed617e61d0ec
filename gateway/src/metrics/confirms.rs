//! How debits with a deadline were confirmed.

use prometheus::{IntCounter, IntGauge, Registry};

use super::{counter, gauge, labelled};

/// What a confirmation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmLabel {
    Confirmed,
    /// The debit had been given back before.
    Late,
    /// An earlier call, whose answer was lost, has taken it, or it was late.
    Repeated,
}

impl ConfirmLabel {
    const ALL: [Self; 3] = [Self::Confirmed, Self::Late, Self::Repeated];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Late => "late",
            Self::Repeated => "repeated",
        }
    }
}

pub struct ConfirmMetrics {
    pub waiting: IntGauge,
    pub dropped: IntCounter,
    pub extensions: IntCounter,
    taken: [IntCounter; ConfirmLabel::ALL.len()],
}

impl ConfirmMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            waiting: gauge(registry, "confirms_waiting", "Confirmations that Redis has not taken yet.")?,
            dropped: counter(
                registry,
                "confirms_dropped_total",
                "Confirmations lost because too many waited: their debits are given back although they were served; alert on any.",
            )?,
            extensions: counter(registry, "extensions_total", "Deadlines moved on for requests under way.")?,
            taken: labelled(
                registry,
                "confirms_total",
                "Confirmations that Redis took; late: the debit was given back before; alert on many: confirm_ms is too short.",
                "outcome",
                ConfirmLabel::ALL.map(ConfirmLabel::as_str),
            )?,
        })
    }

    pub fn taken(&self, label: ConfirmLabel) {
        self.taken[label as usize].inc();
    }
}
