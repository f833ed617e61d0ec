//! A state's fingerprint: 64 bits, mixed well enough that the chance of a collision is that of chance.

use std::hash::{Hash, Hasher};

/// Never 0, which means an empty place in the table.
pub fn of(state: &impl Hash) -> u64 {
    let mut mixer = Mixer { sum: 0x9e37_79b9_7f4a_7c15, word: 0, bytes: 0 };
    state.hash(&mut mixer);
    mixer.finish().max(1)
}

/// Gathers small fields into words before it mixes: a state is many bytes of few bits.
struct Mixer {
    sum: u64,
    word: u64,
    bytes: u32,
}

impl Mixer {
    fn mix(&mut self, word: u64) {
        let product = (self.sum ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
        self.sum = (product ^ product >> 32).wrapping_mul(0xa076_1d64_78bd_642f).rotate_left(23);
    }

    fn byte(&mut self, byte: u8) {
        self.word = self.word << 8 | u64::from(byte);
        self.bytes += 1;
        if self.bytes == 8 {
            self.mix(self.word);
            (self.word, self.bytes) = (0, 0);
        }
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.byte(byte);
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    /// Which variant of an enum: there are few.
    fn write_isize(&mut self, variant: isize) {
        self.byte(variant.to_le_bytes()[0]);
    }

    /// How long an array is: always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        let mut end = self.sum ^ self.word ^ u64::from(self.bytes) << 56;
        for _ in 0..2 {
            end = (end ^ end >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
        end ^ end >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_do_not_collide() {
        let mut seen: Vec<u64> = (0..200_000_u32).map(|n| of(&(n.to_be_bytes(), [0_u8; 40]))).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 200_000);
    }
}
