//! Instants as people read them.

use metering::TimeMs;

/// `2026-12-31T00:00:00Z`.
pub fn rfc3339(time: TimeMs) -> String {
    i64::try_from(time.as_u64())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| time.to_string(), |instant| instant.to_string())
}
