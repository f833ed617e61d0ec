//! Chance that can be had again: each test says its seed, and takes one from `TOLLGATE_TEST_SEED`.

use std::ops::RangeInclusive;

pub struct Dice {
    state: u64,
}

/// Whether the long runs are asked for.
pub fn is_full() -> bool {
    variable("TOLLGATE_TEST_SCALE").is_some_and(|scale| scale == "full")
}

#[expect(clippy::disallowed_methods, reason = "not a setting of a service: how long a test may take, and its chances")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Dice {
    /// Seeded by the variable, or anew; says by what.
    pub fn thrown() -> Self {
        let wanted = variable("TOLLGATE_TEST_SEED").map(|seed| seed.parse().unwrap());
        let seed = wanted.unwrap_or_else(|| uuid::Uuid::now_v7().as_u64_pair().1);
        eprintln!("TOLLGATE_TEST_SEED={seed}");
        Self { state: seed }
    }

    /// The next number of splitmix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.next() % (range.end() - range.start() + 1)
    }

    /// Takes one out.
    pub fn take<T>(&mut self, from: &mut Vec<T>) -> T {
        let last = from.len() as u64 - 1;
        from.swap_remove(usize::try_from(self.within(0..=last)).unwrap())
    }
}
