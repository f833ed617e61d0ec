//! A point in time as callers read it.

use metering::TimeMs;

const DAY_MS: u64 = 86_400_000;

/// UTC to the second: `2026-01-31T23:59:59Z`.
pub fn rfc3339(time: TimeMs) -> String {
    format!("{}Z", to_the_second(time))
}

/// UTC to the millisecond: `2026-01-31T23:59:59.999Z`.
pub fn rfc3339_ms(time: TimeMs) -> String {
    format!("{}.{:03}Z", to_the_second(time), time.as_u64() % 1_000)
}

fn to_the_second(time: TimeMs) -> String {
    let (days, second) = (time.as_u64() / DAY_MS, time.as_u64() % DAY_MS / 1_000);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// Days since 1970 to year, month, day: counts in eras of 400 years from 1 March of year 0, where the leap day is last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = if month_from_march < 10 { (month_from_march + 3, 0) } else { (month_from_march - 9, 1) };
    (era * 400 + year_of_era + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (1_767_225_600_000, "2026-01-01T00:00:00Z"),
            (4_102_444_800_000, "2100-01-01T00:00:00Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(TimeMs::new(ms)), text);
        }
        assert_eq!(rfc3339_ms(TimeMs::new(951_782_400_007)), "2000-02-29T00:00:00.007Z");
    }
}
