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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::credits::LARGEST;

    #[test]
    fn time_begins_in_1970_and_ends_where_lua_numbers_end() {
        let last = TimeMs::new(LARGEST);
        assert_eq!((last.as_u64(), TimeMs::new(LARGEST - 1).as_u64()), (LARGEST, LARGEST - 1));
        assert_eq!((TimeMs::new(LARGEST + 1), TimeMs::new(u64::MAX), last.plus_ms(u64::MAX)), (last, last, last));
        let noon = TimeMs::new(1_000);
        assert_eq!((noon.plus_ms(5), noon.minus_ms(5)), (TimeMs::new(1_005), TimeMs::new(995)));
        assert_eq!(
            (noon.minus_ms(1_001), noon.since(TimeMs::new(400)), TimeMs::EPOCH.since(noon)),
            (TimeMs::EPOCH, 600, 0)
        );
        assert_eq!(noon.to_string(), "1000 ms");
    }
}
