//! What is counted of session tokens.

use prometheus::{IntCounter, IntGauge, Registry};

use super::{gauge, labelled};

pub struct SessionMetrics {
    lookups: [IntCounter; SessionLookup::ALL.len()],
    pub keys: IntGauge,
}

/// How a session token was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionLookup {
    /// Good, and verified before.
    Hit,
    /// Good, verified now.
    Verified,
    Refused,
}

impl SessionLookup {
    /// In the order of the enum.
    const ALL: [Self; 3] = [Self::Hit, Self::Verified, Self::Refused];

    fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Verified => "verified",
            Self::Refused => "refused",
        }
    }
}

impl SessionMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            lookups: labelled(
                registry,
                "session_lookups_total",
                "Session tokens judged, by result.",
                "result",
                SessionLookup::ALL.map(SessionLookup::as_str),
            )?,
            keys: gauge(registry, "session_keys", "Keys that session tokens may be signed with.")?,
        })
    }

    pub fn lookup(&self, result: SessionLookup) {
        self.lookups[result as usize].inc();
    }
}
