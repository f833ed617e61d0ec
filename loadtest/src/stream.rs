//! Server-sent events as they arrive: how many, how far apart, and whether the last one came.

use std::time::{Duration, Instant};

/// The line of the last event, as chat servers write it.
const TERMINAL: &[u8] = b"data: [DONE]";
const END_OF_EVENT: &[u8] = b"\n\n";

#[derive(Default)]
pub struct Events {
    /// Between an event and the one before, for all but the first.
    pub gaps: Vec<Duration>,
    pub count: u64,
    /// Whether the last event came.
    pub whole: bool,
    last: Option<Instant>,
    /// What arrived of an event that is not over.
    open: Vec<u8>,
}

/// An event that is longer is no event of a chat; what stands before its end is forgotten.
const OPEN_BYTES_MAX: usize = 64 * 1024;

impl Events {
    pub fn arrived(&mut self, bytes: &[u8], now: Instant) {
        self.open.extend_from_slice(bytes);
        while let Some(end) = self.open.windows(END_OF_EVENT.len()).position(|window| window == END_OF_EVENT) {
            let event: Vec<u8> = self.open.drain(..end + END_OF_EVENT.len()).collect();
            self.whole |= event.split(|byte| *byte == b'\n').any(|line| line == TERMINAL);
            self.count += 1;
            self.gaps.extend(self.last.map(|last| now.duration_since(last)));
            self.last = Some(now);
        }
        if self.open.len() > OPEN_BYTES_MAX {
            self.open.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_however_they_are_cut() {
        let text = b"data: one\n\ndata: two\n\nevent: done\ndata: [DONE]\n\n";
        for size in 1..text.len() {
            let mut events = Events::default();
            for piece in text.chunks(size) {
                assert!(!events.whole);
                events.arrived(piece, Instant::now());
            }
            assert!(events.whole && events.count == 3 && events.gaps.len() == 2, "in pieces of {size}");
        }
    }

    #[test]
    fn a_stream_without_its_last_event_is_not_whole() {
        let mut events = Events::default();
        events.arrived(b"data: one\n\ndata: [DONE", Instant::now());
        assert!(!events.whole && events.count == 1);
    }

    #[test]
    fn gaps_are_between_arrivals() {
        let mut events = Events::default();
        let began = Instant::now();
        for ms in [0, 50, 51] {
            events.arrived(b"data: x\n\n", began + Duration::from_millis(ms));
        }
        assert_eq!(events.gaps, [Duration::from_millis(50), Duration::from_millis(1)]);
    }
}
