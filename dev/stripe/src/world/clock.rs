//! The movable clock: real time and what was added to it, and the calendar's months.

use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Longer than any subscription that is tried.
const STEPS_MAX: i64 = 2_000;

#[derive(Default)]
pub struct Clock {
    ahead_s: i64,
    /// The instant at which something is done while the clock is moved past it.
    stopped_at: Option<i64>,
}

/// The real time in milliseconds, which dates events, signatures and deliveries.
pub fn wall_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the one place where this test double looks at the real clock")]
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

pub fn wall_s() -> i64 {
    wall_ms() / 1000
}

impl Clock {
    /// The pretend time in seconds, which dates objects.
    pub fn now(&self) -> i64 {
        self.stopped_at.unwrap_or_else(|| wall_s().saturating_add(self.ahead_s))
    }

    pub fn ahead_s(&self) -> i64 {
        self.ahead_s
    }

    pub fn set_ahead_s(&mut self, ahead_s: i64) {
        self.ahead_s = ahead_s;
    }

    pub fn stop_at(&mut self, instant: i64) {
        self.stopped_at = Some(instant);
    }

    pub fn go_on(&mut self) {
        self.stopped_at = None;
    }

    pub fn move_to(&mut self, instant: i64) {
        self.ahead_s = instant.saturating_sub(wall_s());
    }
}

/// The first end of a period after `start`, counted from the anchor, so that the 31st comes back after a short month.
pub fn period_end(anchor: i64, start: i64, interval: &str, count: i64) -> i64 {
    (1..=STEPS_MAX)
        .map(|step| add(anchor, interval, count.max(1).saturating_mul(step)))
        .find(|end| *end > start)
        .unwrap_or(start)
}

fn add(instant: i64, interval: &str, count: i64) -> i64 {
    let span = match interval {
        "day" => Span::new().try_days(count),
        "week" => Span::new().try_weeks(count),
        "year" => Span::new().try_years(count),
        _ => Span::new().try_months(count),
    };
    let moved = Timestamp::from_second(instant).and_then(|at| at.to_zoned(TimeZone::UTC).checked_add(span?));
    moved.map_or(i64::MAX, |at| at.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JANUARY_31: i64 = 1_769_860_800;

    #[test]
    fn a_subscription_of_the_31st_ends_in_february_and_then_on_the_31st_again() {
        let february = period_end(JANUARY_31, JANUARY_31, "month", 1);
        assert_eq!(february - JANUARY_31, 28 * 86_400);
        assert_eq!(period_end(JANUARY_31, february, "month", 1) - JANUARY_31, 59 * 86_400);
    }

    #[test]
    fn a_clock_that_was_moved_goes_on_from_there() {
        let mut clock = Clock::default();
        clock.move_to(JANUARY_31);
        assert!((0..5).contains(&(clock.now() - JANUARY_31)));
    }
}
