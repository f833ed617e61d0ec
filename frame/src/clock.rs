//! The one place that reads the machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use metering::TimeMs;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock;

impl Clock {
    /// The time now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are handed")]
    pub fn now(self) -> TimeMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(); // before 1970 counts as 1970
        TimeMs::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
