//! How people and machines are shown numbers and times: one way in every page and every mail.

use metering::TimeMs;

/// Thousands apart by a thin space that does not break: 1 234 567.
#[must_use]
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

/// `2026-11-26 03:59 UTC`.
#[must_use]
pub fn instant(at: TimeMs) -> String {
    written(at, "%Y-%m-%d %H:%M UTC")
}

/// `2026-11-26 03:59:07 UTC`, for what happens several times a minute.
#[must_use]
pub fn second(at: TimeMs) -> String {
    written(at, "%Y-%m-%d %H:%M:%S UTC")
}

/// `2026-11-26`.
#[must_use]
pub fn day(at: TimeMs) -> String {
    written(at, "%Y-%m-%d")
}

/// As machines read it: RFC 3339, for `<time datetime>`.
#[must_use]
pub fn machine(at: TimeMs) -> String {
    written(at, "%Y-%m-%dT%H:%M:%SZ")
}

fn written(at: TimeMs, format: &str) -> String {
    let millis = i64::try_from(at.as_u64()).unwrap_or(i64::MAX);
    let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    instant.strftime(format).to_string()
}
