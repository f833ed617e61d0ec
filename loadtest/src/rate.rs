//! Calls a second: one rate, or several in turn, over and over.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::cli;

#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    steps: Vec<Step>,
    round: Duration,
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    per_second: f64,
    lasts: Duration,
}

const PER_SECOND_MAX: f64 = 1_000_000.0;
/// A single rate holds for ever; a round of it is never over.
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

impl Rate {
    /// The rate so long after the beginning.
    pub fn at(&self, since: Duration) -> f64 {
        let mut left = Duration::from_nanos_u128(since.as_nanos() % self.round.as_nanos());
        for step in &self.steps {
            if left < step.lasts {
                return step.per_second;
            }
            left -= step.lasts;
        }
        self.steps[0].per_second
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let steps = parts.iter().map(|part| step(part, parts.len() == 1)).collect::<Result<Vec<_>, _>>()?;
        let round = steps.iter().map(|step| step.lasts).sum();
        Ok(Rate { steps, round })
    }
}

fn step(text: &str, alone: bool) -> Result<Step, String> {
    let (rate, lasts) = match text.split_once('/') {
        Some((rate, lasts)) => (rate, cli::span_or_none(lasts)?),
        None if alone => (text, FOR_EVER),
        None => return Err("each of several rates says how long it holds, such as 500/8s".to_owned()),
    };
    let per_second: f64 = rate.parse().map_err(|_| "calls a second, such as 500 or 0.5".to_owned())?;
    if !(per_second > 0.0 && per_second <= PER_SECOND_MAX) || lasts.is_zero() {
        return Err(format!("a rate above 0 and at most {PER_SECOND_MAX}, for longer than nothing"));
    }
    Ok(Step { per_second, lasts })
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.steps.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(f, "{comma}{}", step.per_second)?;
            if step.lasts < FOR_EVER {
                write!(f, "/{}s", step.lasts.as_secs_f64())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other_over_and_over() {
        let rate: Rate = "500/8s, 3000/2s".parse().unwrap();
        let at = |seconds: f64| rate.at(Duration::from_secs_f64(seconds));
        for (second, expected) in
            [(0.0, 500.0), (7.9, 500.0), (8.0, 3000.0), (9.9, 3000.0), (10.0, 500.0), (18.5, 3000.0)]
        {
            assert!((at(second) - expected).abs() < 1e-9, "{second}");
        }
        assert_eq!(rate.to_string(), "500/8s,3000/2s");
    }

    #[test]
    fn one_rate_holds_for_ever() {
        let rate: Rate = "0.5".parse().unwrap();
        assert!((rate.at(Duration::from_secs(1_000_000)) - 0.5).abs() < 1e-9);
        assert_eq!(rate.to_string(), "0.5");
    }

    #[test]
    fn rates_that_are_none_are_refused() {
        for wrong in ["", "0", "-1", "x", "500,3000/2s", "500/0s", "500/2", "NaN", "1e9"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
