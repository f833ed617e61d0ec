//! Keeps the data of the last event of a stream that is a JSON object; the stream arrives in any pieces.

use std::mem;

/// Longest line, and longest event, that is kept.
const BYTES_MAX: usize = 64 * 1_024;

#[derive(Default)]
pub struct LastEvent {
    line: Vec<u8>,
    /// The data of the event so far; `None` without any.
    data: Option<Vec<u8>>,
    /// Whether a part of the line, or of the event, was left out.
    line_cut: bool,
    event_cut: bool,
    after_carriage_return: bool,
    last: Option<Vec<u8>>,
}

impl LastEvent {
    /// Takes the next piece of the stream.
    pub fn watch(&mut self, mut piece: &[u8]) {
        while let Some(first) = piece.first() {
            if mem::take(&mut self.after_carriage_return) && *first == b'\n' {
                piece = &piece[1..];
                continue;
            }
            let end = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = piece.split_at(end.unwrap_or(piece.len()));
            let room = BYTES_MAX - self.line.len();
            self.line_cut |= part.len() > room;
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if let Some(end) = rest.first() {
                self.after_carriage_return = *end == b'\r';
                self.end_line();
            }
            piece = rest.get(1..).unwrap_or_default();
        }
    }

    /// The data of the last whole event that began as a JSON object does; nothing when it was too long.
    pub fn last(&self) -> Option<&[u8]> {
        self.last.as_deref()
    }

    fn end_line(&mut self) {
        let cut = mem::take(&mut self.line_cut);
        if self.line.is_empty() {
            self.end_event();
        } else if let Some(value) = data_of(&self.line) {
            let data = self.data.get_or_insert_default();
            let fits = data.len() + value.len() < BYTES_MAX;
            self.event_cut |= cut || !fits;
            if fits {
                if !data.is_empty() {
                    data.push(b'\n');
                }
                data.extend_from_slice(value);
            }
        }
        self.line.clear();
    }

    fn end_event(&mut self) {
        let cut = mem::take(&mut self.event_cut);
        let Some(data) = self.data.take() else { return };
        if data.trim_ascii_start().starts_with(b"{") {
            // One that was cut tells nothing, and what an earlier one told does not count any more.
            self.last = (!cut).then_some(data);
        }
    }
}

/// The value of a `data` line.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    let value = line.strip_prefix(b"data")?;
    match value.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None => value.is_empty().then_some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(stream: &str, size: usize) -> Option<String> {
        let mut events = LastEvent::default();
        stream.as_bytes().chunks(size).for_each(|piece| events.watch(piece));
        events.last().map(|data| String::from_utf8(data.to_vec()).unwrap())
    }

    #[test]
    fn the_last_object_is_found_however_the_stream_is_cut() {
        for (stream, found) in [
            ("data: {\"n\":1}\n\ndata: {\"n\":2}\n\ndata: [DONE]\n\n", Some("{\"n\":2}")),
            ("id: 1\r\ndata:{\"n\":\r\ndata: 2}\r\n\r\n: ping\r\n\r\n", Some("{\"n\":\n2}")),
            ("data: {\"n\":1}\r\rdata: {\"n\":2}\r\r", Some("{\"n\":2}")),
            ("data: {\"n\":1}\n\ndata: {\"n\":2}", Some("{\"n\":1}")),
            ("data: {\"n\":1}\n\nevent: x\n\ndatum: {\"n\":2}\n\ndata\n\n", Some("{\"n\":1}")),
            ("data: 1\n\n", None),
            ("", None),
        ] {
            for size in 1..=stream.len().max(1) {
                assert_eq!(last(stream, size).as_deref(), found, "{stream:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn an_event_that_is_too_long_tells_nothing() {
        let long = format!("data: {{\"n\":2,\"x\":\"{}\"}}\n\n", "x".repeat(BYTES_MAX));
        let in_lines = format!("data: {{\"x\":\"\n{}\n", format!("data: {}\n", "x".repeat(1_000)).repeat(70));
        for stream in [long, in_lines] {
            let whole = format!("data: {{\"n\":1}}\n\n{stream}");
            assert_eq!(last(&whole, 1_000), None);
            assert_eq!(last(&format!("{whole}data: {{\"n\":3}}\n\n"), 4_096).as_deref(), Some("{\"n\":3}"));
        }
    }
}
