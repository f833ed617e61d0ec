//! The switches that make deliveries as bad as they can be: twice, late, out of order, never.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// How many more copies of each event are sent.
    pub duplicate: u32,
    pub delay_ms: u32,
    /// The order of events that come of one act.
    pub reorder: Reorder,
    /// Kinds that are never sent; `*` is all of them.
    pub drop: Vec<String>,
    /// Deliveries wait until they are released.
    pub hold: bool,
    /// How many deliveries an endpoint gets at the same time.
    pub parallel: u32,
    /// The wait after a failed attempt, doubled after each further one.
    pub retry_ms: u32,
    /// After so many attempts a delivery is given up.
    pub attempts_max: u32,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reorder {
    #[default]
    Keep,
    Reverse,
    Shuffle,
}

const COPIES_MAX: u32 = 100;
const PARALLEL_MAX: u32 = 64;
const DELAY_MAX_MS: u32 = 600_000;

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            duplicate: 0,
            delay_ms: 0,
            reorder: Reorder::Keep,
            drop: Vec::new(),
            hold: false,
            parallel: 1,
            retry_ms: 250,
            attempts_max: 40,
        }
    }
}

impl Switches {
    pub fn check(&self) -> Result<(), String> {
        if self.duplicate > COPIES_MAX || self.delay_ms > DELAY_MAX_MS || self.retry_ms > DELAY_MAX_MS {
            return Err(format!("at most {COPIES_MAX} copies, and {DELAY_MAX_MS} ms of delay"));
        }
        if !(1..=PARALLEL_MAX).contains(&self.parallel) || self.attempts_max == 0 {
            return Err(format!("parallel is from 1 to {PARALLEL_MAX}, attempts_max at least 1"));
        }
        Ok(())
    }

    pub fn drops(&self, kind: &str) -> bool {
        self.drop.iter().any(|dropped| dropped == "*" || dropped == kind)
    }

    pub fn reorder<T>(&self, events: &mut [T]) {
        match self.reorder {
            Reorder::Keep => {}
            Reorder::Reverse => events.reverse(),
            Reorder::Shuffle => events.shuffle(&mut rand::rng()),
        }
    }

    /// How long to wait after the given number of failures.
    pub fn retry_after_ms(&self, attempts: u32) -> i64 {
        const RETRY_MAX_MS: i64 = 30_000;
        let doubled = i64::from(self.retry_ms).saturating_mul(1_i64 << attempts.saturating_sub(1).min(16));
        doubled.min(RETRY_MAX_MS)
    }
}
