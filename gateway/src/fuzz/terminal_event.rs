//! Whatever an upstream streams, in whatever pieces: the terminal line is found if and only if it is one of the lines.

use super::dice::Dice;
use crate::steps::terminal_event::TerminalEvent;

/// What routes name, and lines that are easily mistaken: for a part of themselves, or of one another.
const LINES: [&str; 6] = ["data: [DONE]", "event: done", "a", "aa", "abab", "\u{e9}:"];
const CUTS: usize = 6;

/// The input is the choice of a line, of some cuts, and then the stream.
pub fn terminal_event(input: &[u8]) {
    let mut dice = Dice(input);
    let line = dice.one_of(&LINES);
    let seeds: [u8; CUTS] = std::array::from_fn(|_| dice.byte());
    let stream = dice.rest();
    let due = is_a_line(line, stream);
    let mut cuts: Vec<usize> = seeds.iter().map(|seed| usize::from(*seed).min(stream.len())).collect();
    cuts.extend([0, stream.len()]);
    cuts.sort_unstable();
    let pieces = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]);
    assert_eq!(watch(line, pieces), due, "{line:?} cut at {cuts:?}");
    for size in [1, 2, 3, 7, stream.len().max(1)] {
        assert_eq!(watch(line, stream.chunks(size)), due, "{line:?} in pieces of {size}");
    }
}

fn watch<'a>(line: &str, pieces: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut terminal = TerminalEvent::new(line);
    pieces.for_each(|piece| terminal.watch(piece));
    terminal.was_seen()
}

/// Looks through the whole text at once: the line stands at its beginning or after a line's end, and before one or at its end.
fn is_a_line(line: &str, text: &[u8]) -> bool {
    let ends = |byte: Option<&u8>| matches!(byte, None | Some(b'\r' | b'\n'));
    let line = line.as_bytes();
    text.windows(line.len()).enumerate().any(|(at, window)| {
        window == line && ends(at.checked_sub(1).and_then(|before| text.get(before))) && ends(text.get(at + line.len()))
    })
}
