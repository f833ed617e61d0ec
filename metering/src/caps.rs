//! What a key may draw in a day and in a budget period of its account, and what it has drawn.

use serde::{Deserialize, Serialize};

use crate::{Credits, KeyId, TimeMs};

/// A day, in ms: days begin at midnight UTC.
const DAY_MS: u64 = 86_400_000;

/// The most that a key may draw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyCaps {
    /// Credits a day (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<Credits>,
    /// Credits a budget period of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<Credits>,
}

impl KeyCaps {
    /// Whether nothing is capped.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.day.is_none() && self.month.is_none()
    }
}

/// Which of a key's caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapPeriod {
    /// The day's.
    Day,
    /// The budget period's.
    Month,
}

impl CapPeriod {
    /// The word for it, in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// A key with caps, or one that counts as one with such a key, as the account's live state holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCap {
    /// The key.
    pub key: KeyId,
    /// The key against which it counts: its own, or that of the key it was rotated from, so that rotating doubles nothing.
    pub of: KeyId,
    /// The most it may draw.
    pub caps: KeyCaps,
}

/// What was drawn by keys that count as one, less what was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCount {
    /// The key against which they count.
    pub of: KeyId,
    /// The last day with a debit of theirs, in days since 1970 (UTC).
    pub day: u64,
    /// What was drawn on that day.
    pub day_used: Credits,
    /// End of the budget period that `period_used` counts.
    pub period_end: TimeMs,
    /// What was drawn in it.
    pub period_used: Credits,
}

impl TimeMs {
    /// The day it lies in, in days since 1970 (UTC).
    #[must_use]
    pub const fn day(self) -> u64 {
        self.as_u64() / DAY_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_of_either_kind_is_a_cap() {
        let some = Some(Credits::MAX);
        assert!(KeyCaps::default().is_empty());
        assert!(!KeyCaps { day: some, month: None }.is_empty() && !KeyCaps { day: None, month: some }.is_empty());
        assert_eq!([CapPeriod::Day, CapPeriod::Month].map(CapPeriod::as_str), ["day", "month"]);
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let midnight = TimeMs::new(20_666 * DAY_MS);
        assert_eq!(
            [midnight.minus_ms(1), midnight, midnight.plus_ms(DAY_MS - 1)].map(TimeMs::day),
            [20_665, 20_666, 20_666]
        );
    }
}
