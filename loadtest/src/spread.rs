//! How times are spread: a histogram that keeps three digits, and the percentiles of it.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longer than any call may take; a time beyond counts as this one.
const LONGEST: Duration = Duration::from_hours(1);
const DIGITS: u8 = 3;

/// Times, in nanoseconds.
pub struct Times(Histogram<u64>);

impl Times {
    pub fn new() -> Times {
        Times(Histogram::new_with_bounds(1, nanos(LONGEST), DIGITS).expect("bounds and digits are in range"))
    }

    pub fn add(&mut self, time: Duration) {
        self.0.saturating_record(nanos(time));
    }

    pub fn clear(&mut self) {
        self.0.reset();
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    pub fn merge(&mut self, other: &Times) {
        self.0.add(&other.0).expect("all histograms have the same bounds");
    }

    /// The time within which so many of a hundred were done, µs.
    pub fn percentile_us(&self, percent: f64) -> f64 {
        micros(self.0.value_at_percentile(percent))
    }

    /// From the median to the slowest, at ever finer steps: percent and µs.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let mut curve = Vec::new();
        let (mut beyond, least) = (0.5, 100.0 / f64::from(u32::try_from(self.count().max(2)).unwrap_or(u32::MAX)));
        while beyond * 100.0 > least / 2.0 {
            let percent = 100.0 * (1.0 - beyond);
            curve.push((percent, self.percentile_us(percent)));
            beyond *= 0.85;
        }
        curve
    }

    pub fn spread(&self) -> Spread {
        Spread {
            count: self.count(),
            mean: self.0.mean() / 1_000.0,
            p50: self.percentile_us(50.0),
            p90: self.percentile_us(90.0),
            p99: self.percentile_us(99.0),
            p999: self.percentile_us(99.9),
            max: micros(self.0.max()),
        }
    }
}

/// Microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Spread {
    pub count: u64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "an hour in nanoseconds is far below 2^52")]
fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_keep_three_digits() {
        let mut times = Times::new();
        (1..=1_000).for_each(|ms| times.add(Duration::from_millis(ms)));
        let spread = times.spread();
        for (found, expected) in [(spread.p50, 500e3), (spread.p90, 900e3), (spread.p99, 990e3), (spread.max, 1e6)] {
            assert!((found / expected - 1.0).abs() < 0.002, "{found} for {expected}");
        }
        assert_eq!(spread.count, 1_000);
    }

    #[test]
    fn the_curve_rises_from_the_median_to_the_slowest() {
        let mut times = Times::new();
        (1..=10_000).for_each(|us| times.add(Duration::from_micros(us)));
        let curve = times.curve();
        assert!((curve[0].1 / 5_000.0 - 1.0).abs() < 0.002);
        assert!((curve.last().unwrap().1 / 10_000.0 - 1.0).abs() < 0.002);
        assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
    }

    #[test]
    fn what_takes_longer_than_anything_counts_as_the_longest() {
        let mut times = Times::new();
        times.add(Duration::from_secs(1_000_000));
        assert!(times.spread().max / 3.6e9 > 0.99);
    }
}
