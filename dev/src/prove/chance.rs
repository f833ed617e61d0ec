//! Chance that can be repeated: a small generator (splitmix64) whose whole state is the seed. Not for secrets.

pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// Another stream of the same seed, told apart by a number: what one of them is asked changes nothing for the other.
    pub fn stream(seed: u64, number: u64) -> Chance {
        let mut apart = Chance(seed ^ number.wrapping_mul(0xA076_1D64_78BD_642F));
        Chance(apart.next())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `least` up to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// One of these. There must be one.
    pub fn one_of<T: Copy>(&mut self, these: &[T]) -> T {
        let last = u64::try_from(these.len()).unwrap_or(1).saturating_sub(1);
        these[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_and_another_seed_another() {
        let some = |seed: u64, number: u64| {
            let mut chance = Chance::stream(seed, number);
            (0..8).map(|_| chance.between(5, 1_000)).collect::<Vec<_>>()
        };
        assert_eq!(some(1, 0), some(1, 0));
        assert_ne!(some(1, 0), some(2, 0));
        assert_ne!(some(1, 0), some(1, 1));
        assert!(some(1, 0).iter().all(|number| (5..=1_000).contains(number)));
    }
}
