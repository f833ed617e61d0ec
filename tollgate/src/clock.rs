//! The clock, read once for each command, and instants as people read them.

use metering::TimeMs;

/// Now, by the operator's machine.
pub fn now() -> TimeMs {
    TimeMs::new(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)) // a clock before 1970 is 1970
}

/// `2026-12-31T00:00:00Z`.
pub fn rfc3339(time: TimeMs) -> String {
    i64::try_from(time.as_u64())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| time.to_string(), |instant| instant.to_string())
}
