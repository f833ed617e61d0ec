//! Budget periods: calendar months in UTC that start on an anchor day.
//!
//! The period is computed from the time, here and in the debit script by the same arithmetic, so there is no reset job.

use serde::{Deserialize, Serialize};

use crate::{IdError, TimeMs};

const MS_A_DAY: u64 = 86_400_000;

/// The day of the month on which a budget period starts, 1 to 28: every month has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct BudgetAnchor(u8);

impl BudgetAnchor {
    /// Periods are calendar months.
    pub const FIRST: Self = Self(1);

    /// Takes a day from 1 to 28.
    pub const fn new(day: u8) -> Result<Self, IdError> {
        if day >= 1 && day <= 28 { Ok(Self(day)) } else { Err(IdError { expected: "a day of the month from 1 to 28" }) }
    }

    /// The day.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.0
    }

    /// First instant after the period that holds `now`: midnight UTC of the next anchor day (half-open).
    #[must_use]
    pub fn period_end(self, now: TimeMs) -> TimeMs {
        let (year, month, day) = civil_from_days(now.as_u64() / MS_A_DAY);
        let (year, month) = if day < u64::from(self.0) { (year, month) } else { next_month(year, month) };
        TimeMs::new(days_from_civil(year, month, u64::from(self.0)).saturating_mul(MS_A_DAY))
    }

    /// First instant of the period that ends at `end`.
    #[must_use]
    pub fn period_start(self, end: TimeMs) -> TimeMs {
        let (year, month, _) = civil_from_days(end.as_u64() / MS_A_DAY);
        let (year, month) = if month == 1 { (year.saturating_sub(1), 12) } else { (year, month.saturating_sub(1)) };
        TimeMs::new(days_from_civil(year, month, u64::from(self.0)).saturating_mul(MS_A_DAY))
    }
}

impl TryFrom<u8> for BudgetAnchor {
    type Error = IdError;

    fn try_from(day: u8) -> Result<Self, IdError> {
        Self::new(day)
    }
}

impl From<BudgetAnchor> for u8 {
    fn from(anchor: BudgetAnchor) -> u8 {
        anchor.0
    }
}

fn next_month(year: u64, month: u64) -> (u64, u64) {
    if month == 12 { (year.saturating_add(1), 1) } else { (year, month.saturating_add(1)) }
}

/// Year, month and day of a day count since 1970-01-01, by Howard Hinnant's `civil_from_days`; a year starts in March there,
/// so that the leap day is its last.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a day count is below 2^53 / 86 400 000; nothing here can overflow or go below zero"
)]
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Day count since 1970-01-01 of a date from 1970 on, the inverse of [`civil_from_days`].
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years are those of a TimeMs; nothing here can overflow or go below zero"
)]
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year % 400;
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    (era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2028-02-29T12:00:00Z, a leap day.
    const LEAP_NOON: u64 = 1_835_438_400_000;

    #[test]
    fn a_period_ends_at_midnight_of_the_anchor_day_and_not_a_millisecond_later() {
        let first = BudgetAnchor::FIRST;
        let march = TimeMs::new(1_835_481_600_000); // 2028-03-01T00:00:00Z
        assert_eq!(first.period_end(TimeMs::new(LEAP_NOON)), march);
        assert_eq!(first.period_end(march.minus_ms(1)), march);
        assert_eq!(first.period_end(march), TimeMs::new(1_838_160_000_000), "2028-04-01");
    }

    #[test]
    fn a_period_crosses_the_year() {
        let anchor = BudgetAnchor::new(15).unwrap();
        let end = anchor.period_end(TimeMs::new(1_798_675_200_000)); // 2026-12-31
        assert_eq!(end, TimeMs::new(1_799_971_200_000), "2027-01-15");
        assert_eq!(anchor.period_start(end), TimeMs::new(1_797_292_800_000), "2026-12-15");
    }

    #[test]
    fn every_day_of_four_centuries_is_read_back() {
        for days in 0..146_097 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days, "{year}-{month}-{day}");
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
    }

    #[test]
    fn an_anchor_is_a_day_that_every_month_has() {
        for day in [1, 2, 27, 28] {
            let anchor = BudgetAnchor::new(day).unwrap();
            assert_eq!((anchor.day(), u8::from(anchor), BudgetAnchor::try_from(day)), (day, day, Ok(anchor)));
        }
        for day in [0, 29, 31, 255] {
            assert!(BudgetAnchor::new(day).is_err() && BudgetAnchor::try_from(day).is_err(), "{day}");
        }
        assert_eq!(BudgetAnchor::FIRST.day(), 1);
    }

    #[test]
    fn a_period_turns_on_its_anchor_day() {
        let (anchor, day) = (BudgetAnchor::new(28).unwrap(), 86_400_000);
        let [july, august, september] = [1_785_196_800_000, 1_787_875_200_000, 1_790_553_600_000].map(TimeMs::new); // the 28th of each, 2026
        for (now, start, end) in [
            (august.minus_ms(day), july, august),
            (august.minus_ms(1), july, august),
            (august, august, september),
            (august.plus_ms(day), august, september),
        ] {
            assert_eq!((anchor.period_end(now), anchor.period_start(end)), (end, start), "{now}");
        }
        let [december, january, february] = [1_796_083_200_000, 1_798_761_600_000, 1_801_440_000_000].map(TimeMs::new);
        let first = BudgetAnchor::FIRST;
        assert_eq!(first.period_end(december), january);
        assert_eq!((first.period_start(january), first.period_start(february)), (december, january));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (days, date) in [
            (30, (1970, 1, 31)),
            (31, (1970, 2, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (364, (1970, 12, 31)),
            (365, (1971, 1, 1)),
            (789, (1972, 2, 29)),
            (790, (1972, 3, 1)),
            (10_956, (1999, 12, 31)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_665, (2026, 7, 31)),
            (20_666, (2026, 8, 1)),
            (47_481, (2099, 12, 31)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
            (146_096, (2369, 12, 31)),
            (157_113, (2400, 2, 29)),
        ] {
            assert_eq!(civil_from_days(days), date);
            let (year, month, day) = date;
            assert_eq!(days_from_civil(year, month, day), days, "{date:?}");
        }
    }
}
