//! What is counted of session tokens.

use prometheus::{IntCounter, IntGauge, Registry};
use sessions::{Lookup, Watch};

use super::{Metrics, gauge, labelled};

pub struct SessionMetrics {
    lookups: [IntCounter; Lookup::ALL.len()],
    standings: [IntCounter; StandingLookup::ALL.len()],
    keys: IntGauge,
}

impl Watch for Metrics {
    fn looked_up(&self, how: Lookup) {
        self.sessions.lookups[how as usize].inc();
    }

    fn keys_read(&self, keys: usize) {
        self.sessions.keys.set(i64::try_from(keys).unwrap_or(i64::MAX));
    }
}

/// How it was found out what a session's account may do and whether the session was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandingLookup {
    /// It was known.
    Hit,
    /// Live state was asked.
    Read,
    /// Live state could not be asked.
    Failed,
}

impl StandingLookup {
    /// In the order of the enum.
    const ALL: [Self; 3] = [Self::Hit, Self::Read, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Read => "read",
            Self::Failed => "failed",
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
                Lookup::ALL.map(Lookup::as_str),
            )?,
            standings: labelled(
                registry,
                "session_standing_lookups_total",
                "Look-ups of a session's account: its status, and which of its sessions were ended, by result.",
                "result",
                StandingLookup::ALL.map(StandingLookup::as_str),
            )?,
            keys: gauge(registry, "session_keys", "Keys that session tokens may be signed with.")?,
        })
    }

    pub fn standing(&self, result: StandingLookup) {
        self.standings[result as usize].inc();
    }
}
