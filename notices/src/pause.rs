//! How long to wait before a mail is tried again.

use std::time::Duration;

use metering::TimeMs;

/// The first pause; each further one is twice as long.
const PAUSE_MS: u64 = 30_000;

/// When a mail is tried again after so many tries: about half a minute later, one, two, up to a limit. Of each pause the last third is left
/// to chance, so that mails which were put off together do not come back together.
pub fn until(attempts: u32, longest: Duration, chance: u64, now: TimeMs) -> TimeMs {
    let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    let doublings = attempts.saturating_sub(1).min(20); // 2^20 half minutes are a year
    let pause = PAUSE_MS.saturating_mul(1 << doublings).min(longest);
    let by_chance = pause / 3;
    now.plus_ms(pause - by_chance + chance % by_chance.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit_and_a_third_of_each_is_chance() {
        let (now, hour) = (TimeMs::new(1_000), Duration::from_hours(1));
        let pause = |attempts, chance| until(attempts, hour, chance, now).since(now);
        assert_eq!(
            [0, 1, 2, 3, 7, 8, 9, u32::MAX].map(|attempts| pause(attempts, 0) / 1_000),
            [20, 20, 40, 80, 1_280, 2_400, 2_400, 2_400]
        );
        assert_eq!((pause(1, 10_000), pause(1, 10_001), pause(9, 1_200_000)), (30_000, 20_000, 3_600_000));
        for chance in [7, 9_999, u64::MAX] {
            assert!((20_000..=30_000).contains(&pause(1, chance)));
        }
        assert_eq!(until(5, Duration::from_millis(1), 3, now).since(now), 1);
    }
}
