//! Whatever an upstream streams, in whatever pieces: the terminal line is found if and only if it is one of the lines.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::steps::terminal_event::TerminalEvent;

proptest! {
    #![proptest_config(super::config(5_000))]

    #[test]
    fn a_line_is_found_if_and_only_if_it_is_there(line in "[ab:é]{1,3}", stream in "[ab:é\r\n]{0,24}", cuts in vec(0..40_usize, 0..6)) {
        let bytes = stream.as_bytes();
        let due = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).any(|found| found == line.as_bytes());
        let mut terminal = TerminalEvent::new(&line);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for piece in cuts.windows(2) {
            terminal.watch(&bytes[piece[0]..piece[1]]);
        }
        prop_assert_eq!(terminal.was_seen(), due);
    }
}
