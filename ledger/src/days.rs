//! Days as people name them: in UTC, from midnight to midnight.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use metering::TimeMs;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// A day, in ms.
pub const DAY_MS: u64 = 86_400_000;

/// A day in UTC. Shown as `2026-11-26`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u64);

/// A text that is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a day is written as 2026-11-26, from 1970 on")]
pub struct BadDay;

impl Day {
    /// The last one that can be written: 9999-12-30, so that the one after it can be, too.
    const LAST: u64 = 2_932_895;

    /// The day that holds an instant.
    #[must_use]
    pub const fn of(at: TimeMs) -> Self {
        Self::new(at.day())
    }

    const fn new(number: u64) -> Self {
        if number > Self::LAST { Self(Self::LAST) } else { Self(number) }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Its midnight.
    #[must_use]
    pub const fn starts_at(self) -> TimeMs {
        TimeMs::new(self.0.saturating_mul(DAY_MS))
    }

    /// The day so many days later.
    #[must_use]
    pub const fn plus(self, days: u64) -> Self {
        Self::new(self.0.saturating_add(days))
    }

    /// The day so many days earlier, not before 1970.
    #[must_use]
    pub const fn minus(self, days: u64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// The days from this one to before another.
    pub fn until(self, end: Self) -> impl Iterator<Item = Self> {
        (self.0..end.0).map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = i64::try_from(self.starts_at().as_u64()).ok();
        let midnight = midnight.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).ok_or(fmt::Error)?;
        write!(formatter, "{}", midnight.to_zoned(jiff::tz::TimeZone::UTC).date())
    }
}

impl FromStr for Day {
    type Err = BadDay;

    fn from_str(text: &str) -> Result<Self, BadDay> {
        let date: Date = Some(text).filter(|text| text.len() == 10).and_then(|text| text.parse().ok()).ok_or(BadDay)?;
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| BadDay)?.timestamp().as_millisecond();
        let day = Self::of(TimeMs::new(u64::try_from(midnight).map_err(|_| BadDay)?));
        if day.to_string() == text { Ok(day) } else { Err(BadDay) }
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_was_written() {
        for text in ["1970-01-01", "2024-02-29", "2026-11-26", "9999-12-30"] {
            let day: Day = text.parse().unwrap();
            assert_eq!(day.to_string(), text);
            assert_eq!(Day::of(day.starts_at()), day);
            assert_eq!(Day::of(day.starts_at().plus_ms(DAY_MS - 1)), day);
        }
        for bad in
            ["", "2026-02-29", "1969-12-31", "2026-1-01", "26-11-26", "2026-11-26T00:00", "20261126", "9999-12-31"]
        {
            assert_eq!(bad.parse::<Day>(), Err(BadDay), "{bad}");
        }
        let (monday, week): (Day, u64) = ("2026-11-23".parse().unwrap(), 7);
        assert_eq!(monday.until(monday.plus(week)).last().unwrap().to_string(), "2026-11-29");
        assert_eq!(monday.until(monday).count(), 0);
        assert_eq!(monday.plus(week).minus(week), monday);
    }
}
