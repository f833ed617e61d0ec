//! What is counted of session tokens.

use prometheus::{IntCounter, IntGauge, Registry};

use super::{gauge, labelled};

pub struct SessionMetrics {
    lookups: [IntCounter; SessionLookup::ALL.len()],
    standings: [IntCounter; StandingLookup::ALL.len()],
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
                SessionLookup::ALL.map(SessionLookup::as_str),
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

    pub fn lookup(&self, result: SessionLookup) {
        self.lookups[result as usize].inc();
    }

    pub fn standing(&self, result: StandingLookup) {
        self.standings[result as usize].inc();
    }
}
