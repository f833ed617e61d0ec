//! `ladder`: higher and higher rates, until callers wait too long.

use anyhow::{Context, Result};

use super::caller::Load;
use super::found::Found;
use super::plant::Group;
use super::report::Outcome;
use super::stand::Stand;
use crate::words;

const GROUP: Group = Group { name: "load", accounts: 1_000, lots: 1, credits: 1 << 40, keys: 1_000, audited: false };
/// The first rung; each is so many times as high as the one below.
const FIRST: f64 = 500.0;
const STEP: f64 = 1.3;
const RUNGS_MAX: u32 = 24;
/// How long 99 of 100 callers may wait, ms.
const LIMITS_MS: [f64; 3] = [1.0, 5.0, 10.0];

/// A rate, and how long 99 of 100 waited; none where somebody was not served.
struct Rung {
    rate: f64,
    p99_ms: Option<f64>,
}

pub fn play(stand: &Stand) -> Result<bool> {
    let keys = stand.planter()?.plant(&[GROUP])?;
    let keys = keys.first().context("a group has keys")?;
    let (mut rungs, mut rate) = (Vec::new(), FIRST);
    for _ in 0..RUNGS_MAX {
        let load = Load { duration: "10s".to_owned(), zipf: 1.1, connections: 256, ..Load::default() }.or(stand.wish);
        let load = Load { rate: Some(format!("{rate:.0}")), ..load };
        let rung = Rung { rate, p99_ms: p99_ms(&stand.caller().quietly(&load, &stand.standing.gateway, keys)?, rate) };
        words::note(&rung.text());
        let over = rung.p99_ms.is_none_or(|ms| ms > LIMITS_MS[2]);
        rungs.push(rung);
        if over {
            break;
        }
        rate *= STEP;
    }
    let mut notes: Vec<String> = rungs.iter().map(Rung::text).collect();
    notes.extend(LIMITS_MS.map(|limit| match highest(&rungs, limit) {
        Some(rate) => format!("p99 below {limit} ms up to {rate:.0} calls/s"),
        None => format!("p99 below {limit} ms at none of these rates"),
    }));
    Outcome::of_figures("ladder", notes, Vec::new()).print(stand.wish.json)
}

/// A generator that came behind its own rate has found nothing about it.
fn p99_ms(found: &Found, rate: f64) -> Option<f64> {
    let whole = found.all.served == found.all.calls && found.per_second > rate * 0.9;
    whole.then_some(found.all.latency_us.p99 / 1_000.0)
}

/// The highest rate with all rates below it within the limit: one that was lucky above an unlucky one counts for nothing.
fn highest(rungs: &[Rung], limit_ms: f64) -> Option<f64> {
    let within = rungs.iter().take_while(|rung| rung.p99_ms.is_some_and(|ms| ms < limit_ms));
    within.last().map(|rung| rung.rate)
}

impl Rung {
    fn text(&self) -> String {
        let p99 = self.p99_ms.map_or_else(|| "not everybody served".to_owned(), |ms| format!("p99 {ms:.2} ms"));
        format!("{:>8.0} calls/s  {p99}", self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_rate_is_below_the_first_that_was_too_slow() {
        let rungs: Vec<Rung> = [(500.0, Some(0.6)), (650.0, Some(1.4)), (845.0, Some(0.9)), (1_098.0, None)]
            .map(|(rate, p99_ms)| Rung { rate, p99_ms })
            .into();
        let found = LIMITS_MS.map(|limit| highest(&rungs, limit));
        assert_eq!(found, [Some(500.0), Some(845.0), Some(845.0)]);
        assert_eq!(highest(&rungs, 0.1), None);
    }
}
