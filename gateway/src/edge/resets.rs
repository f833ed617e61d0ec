//! How often a caller may reset streams of HTTP/2 on one connection. A reset frees a place at once, while what was begun for the
//! stream goes on for a moment: without a bound, a hundred streams at a time would be thousands.

use std::time::Instant;

/// More than anybody calls off in one breath, with a hundred streams at most; and what comes back each second.
const BURST_MAX: u32 = 500;
const PER_SECOND: u32 = 50;

const HEAD_BYTES: usize = 9;
const RST_STREAM: u8 = 3;

/// Reads the heads of a caller's frames as they go by, in whatever pieces.
pub struct Resets {
    head: [u8; HEAD_BYTES],
    head_bytes: usize,
    /// Of the frame's payload, yet to go by.
    payload_bytes: usize,
    left: u32,
    /// Up to when `left` was counted.
    counted: Instant,
}

impl Resets {
    pub fn new(now: Instant) -> Self {
        Self { head: [0; HEAD_BYTES], head_bytes: 0, payload_bytes: 0, left: BURST_MAX, counted: now }
    }

    /// Takes the next bytes after the preface; whether the connection may go on.
    pub fn allow(&mut self, mut bytes: &[u8], now: impl Fn() -> Instant) -> bool {
        let mut allowed = true;
        loop {
            let skipped = self.payload_bytes.min(bytes.len());
            self.payload_bytes -= skipped;
            bytes = &bytes[skipped..];
            if bytes.is_empty() {
                return allowed;
            }
            let taken = bytes.len().min(HEAD_BYTES - self.head_bytes);
            let (part, rest) = bytes.split_at(taken);
            self.head[self.head_bytes..][..taken].copy_from_slice(part);
            self.head_bytes += taken;
            bytes = rest;
            if self.head_bytes == HEAD_BYTES {
                let [a, b, c, kind, ..] = self.head;
                self.head_bytes = 0;
                self.payload_bytes = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                allowed &= kind != RST_STREAM || self.spend(now());
            }
        }
    }

    fn spend(&mut self, now: Instant) -> bool {
        let seconds = now.saturating_duration_since(self.counted).as_secs();
        if seconds > 0 {
            let back = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_mul(PER_SECOND);
            self.left = self.left.saturating_add(back).min(BURST_MAX);
            self.counted = now;
        }
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, 0, 0, 0, 0, 1], payload].concat()
    }

    #[test]
    fn resets_are_counted_in_whatever_pieces_they_come() {
        // What looks like a reset inside of a payload is none.
        let one = [frame(0, &frame(RST_STREAM, &[0; 4])), frame(1, &[]), frame(RST_STREAM, &[0; 4])].concat();
        let start = Instant::now();
        for size in [1, 3, 8, 9, 10, 64, 1_000_000] {
            let mut resets = Resets::new(start);
            let burst = one.repeat(usize::try_from(BURST_MAX).unwrap());
            assert!(burst.chunks(size).all(|piece| resets.allow(piece, || start)), "pieces of {size}");
            assert!(!one.chunks(size).all(|piece| resets.allow(piece, || start)), "pieces of {size}");
        }
    }

    #[test]
    fn what_was_used_up_comes_back_and_no_more_than_that() {
        let (start, reset) = (Instant::now(), frame(RST_STREAM, &[0; 4]));
        let mut resets = Resets::new(start);
        let mut counted = |at: Duration| (0..10_000).take_while(|_| resets.allow(&reset, || start + at)).count();
        let seconds = Duration::from_secs;
        assert_eq!(counted(seconds(0)), 500);
        assert_eq!(counted(Duration::from_millis(999)), 0);
        assert_eq!(counted(seconds(2)), 100);
        assert_eq!(counted(seconds(3_600)), 500);
    }
}
