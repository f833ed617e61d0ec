//! Points in time, in milliseconds since 1970 (UTC). The clock is passed in; this crate never reads one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in time: Unix time in milliseconds, at most 2^53 − 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeMs(u64);

impl TimeMs {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Takes Unix time in milliseconds; later than 2^53 − 1 becomes that.
    #[must_use]
    pub const fn new(unix_ms: u64) -> Self {
        if unix_ms > crate::credits::LARGEST { Self(crate::credits::LARGEST) } else { Self(unix_ms) }
    }

    /// Unix time in milliseconds.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The point `ms` later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self::new(self.0.saturating_add(ms))
    }

    /// The point `ms` earlier, not before 1970.
    #[must_use]
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// Milliseconds since an earlier point; 0 when that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for TimeMs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ms", self.0)
    }
}
