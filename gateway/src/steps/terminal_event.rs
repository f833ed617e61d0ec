//! Watches an event stream for the line that ends it: a stream cut off cleanly logs no error, and only this tells.

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use pingora::http::ResponseHeader;

/// Finds one whole line in a stream that arrives in any pieces.
pub struct TerminalEvent {
    line: Vec<u8>,
    /// How much of the current line equals the beginning of `line`; `None` once it differs.
    matched: Option<usize>,
    seen: bool,
}

impl TerminalEvent {
    pub fn new(line: &str) -> Self {
        Self { line: line.as_bytes().to_vec(), matched: Some(0), seen: false }
    }

    /// Takes the next piece of the stream.
    pub fn watch(&mut self, mut piece: &[u8]) {
        while !self.seen && !piece.is_empty() {
            let end = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = piece.split_at(end.unwrap_or(piece.len()));
            self.matched = self.matched.filter(|at| self.line[*at..].starts_with(part)).map(|at| at + part.len());
            if end.is_some() {
                self.seen = self.is_whole();
                self.matched = Some(0);
            }
            piece = rest.get(1..).unwrap_or_default();
        }
    }

    /// Whether the line came; asked at the end of the stream, whose last line may lack its line end.
    pub fn was_seen(&self) -> bool {
        self.seen || self.is_whole()
    }

    fn is_whole(&self) -> bool {
        self.matched == Some(self.line.len())
    }
}

/// Whether the answer is a stream of events.
pub fn is_event_stream(header: &ResponseHeader) -> bool {
    let events = b"text/event-stream";
    let kind = header.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..events.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(events))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "data: {\"x\":\"event: done\"}\n\nevent: doner\r\n\nevent: done\ndata: {}\n\n";

    #[test]
    fn the_line_is_found_however_the_stream_is_cut() {
        for size in 1..=STREAM.len() {
            let mut terminal = TerminalEvent::new("event: done");
            STREAM.as_bytes().chunks(size).for_each(|piece| terminal.watch(piece));
            assert!(terminal.was_seen(), "pieces of {size}");
        }
    }

    #[test]
    fn a_part_of_a_line_is_not_the_line() {
        for stream in ["", "event: don", "event: doner\n", "xevent: done\n", "data: event: done\n", "event: done \n"] {
            for size in 1..=stream.len().max(1) {
                let mut terminal = TerminalEvent::new("event: done");
                stream.as_bytes().chunks(size).for_each(|piece| terminal.watch(piece));
                assert!(!terminal.was_seen(), "{stream} in pieces of {size}");
            }
        }
    }

    #[test]
    fn the_last_line_needs_no_line_end() {
        let mut terminal = TerminalEvent::new("data: [DONE]");
        terminal.watch(b"data: 1\r\n\r\ndata: [DO");
        terminal.watch(b"NE]");
        assert!(terminal.was_seen());
    }
}
