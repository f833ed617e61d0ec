//! Which calls are made, and when each is due: decided by the seed, before anything is known about answers.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, Zipf};

use crate::cli::Arrivals;
use crate::mix::{Kind, Mix};
use crate::rate::Rate;

/// A call that is to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    pub kind: Kind,
    /// Whose, by number in the file of keys.
    pub key: usize,
    /// After the beginning of the run; none where callers wait for answers.
    pub due: Option<Duration>,
}

/// All calls of a run, one after the other.
pub struct Plan {
    rng: StdRng,
    mix: Mix,
    keys: usize,
    /// None where all keys are used alike.
    zipf: Option<Zipf<f64>>,
    timing: Option<Timing>,
}

struct Timing {
    rate: Rate,
    arrivals: Arrivals,
    /// Seconds after the beginning.
    next: f64,
    end: Duration,
}

impl Plan {
    /// `zipf` is 0 where all keys are used alike; without a rate the plan has no end.
    pub fn new(seed: u64, mix: Mix, keys: usize, zipf: f64, timing: Option<(Rate, Arrivals, Duration)>) -> Plan {
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 keys")]
        let zipf = (zipf > 0.0).then(|| Zipf::new(keys as f64, zipf).ok()).flatten();
        let timing = timing.map(|(rate, arrivals, end)| Timing { rate, arrivals, next: 0.0, end });
        Plan { rng: StdRng::seed_from_u64(seed), mix, keys, zipf, timing }
    }

    fn key(&mut self) -> usize {
        let Some(zipf) = self.zipf else { return self.rng.random_range(0..self.keys) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to the number of keys")]
        let rank = zipf.sample(&mut self.rng) as usize;
        rank.clamp(1, self.keys) - 1
    }
}

impl Iterator for Plan {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        let due = match &mut self.timing {
            None => None,
            Some(timing) => Some(timing.next(&mut self.rng)?),
        };
        let kind = self.mix.pick(&mut self.rng);
        Some(Call { kind, key: self.key(), due })
    }
}

impl Timing {
    fn next(&mut self, rng: &mut StdRng) -> Option<Duration> {
        // Rounded to a nanosecond: sums of fractions are a little off.
        let due = Duration::from_secs_f64(self.next);
        if due >= self.end {
            return None;
        }
        let gap: f64 = match self.arrivals {
            Arrivals::Constant => 1.0,
            Arrivals::Poisson => Exp1.sample(rng),
        };
        self.next += gap / self.rate.at(due);
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn gaps(calls: &[Call]) -> impl Iterator<Item = Duration> {
        let due = |call: &Call| call.due.unwrap();
        calls.windows(2).map(move |pair| due(&pair[1]).saturating_sub(due(&pair[0])))
    }

    fn plan(seed: u64, rate: &str, arrivals: Arrivals, zipf: f64) -> Vec<Call> {
        let timing = Some((rate.parse().unwrap(), arrivals, TEN));
        Plan::new(seed, "json=1,free=1".parse().unwrap(), 100, zipf, timing).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_calls() {
        let of = |seed| plan(seed, "1000", Arrivals::Poisson, 1.1);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn constant_arrivals_are_evenly_spread_and_as_many_as_the_rate_says() {
        let calls = plan(1, "1000", Arrivals::Constant, 0.0);
        assert_eq!(calls.len(), 10_000);
        assert!(gaps(&calls).all(|gap| gap.abs_diff(Duration::from_millis(1)) < Duration::from_micros(1)));
    }

    #[test]
    fn poisson_arrivals_are_as_many_in_the_mean_and_not_evenly_spread() {
        let calls = plan(1, "1000", Arrivals::Poisson, 0.0);
        assert!(calls.len().abs_diff(10_000) < 400, "{}", calls.len());
        // Of gaps with a mean of 1 ms, e^-2 are longer than 2 ms.
        let long = gaps(&calls).filter(|gap| *gap > Duration::from_millis(2)).count();
        assert!(long.abs_diff(1_353) < 200, "{long}");
    }

    #[test]
    fn a_burst_is_where_it_shall_be() {
        let calls = plan(1, "100/9s,1000/1s", Arrivals::Constant, 0.0);
        let late = calls.iter().filter(|call| call.due >= Some(Duration::from_secs(9))).count();
        assert!(late.abs_diff(1_000) <= 2 && calls.len().abs_diff(1_900) <= 2, "{late} of {}", calls.len());
    }

    #[test]
    fn the_first_key_is_used_most_where_zipf_says_so_and_all_alike_where_not() {
        let uses = |calls: &[Call], key| calls.iter().filter(|call| call.key == key).count();
        let alike = plan(1, "1000", Arrivals::Constant, 0.0);
        assert!(uses(&alike, 0).abs_diff(100) < 60 && uses(&alike, 99).abs_diff(100) < 60);
        let skewed = plan(1, "1000", Arrivals::Constant, 1.1);
        assert!(uses(&skewed, 0) > 1_500 && uses(&skewed, 99) < 60, "{}", uses(&skewed, 0));
        assert!(skewed.iter().all(|call| call.key < 100));
    }
}
