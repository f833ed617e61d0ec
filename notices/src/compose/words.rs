//! How mails write numbers, times, and what others have written.

use std::fmt;

use frame::show;
use metering::TimeMs;

/// Names of accounts may have 200 letters; in a mail these are enough to tell which it is.
pub const NAME_CHARS_MAX: usize = 60;
pub const PRODUCT_CHARS_MAX: usize = 60;

/// A number with thin spaces between its thousands: 1 234 567.
#[derive(Clone, Copy)]
pub struct Number(pub u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show::number(self.0))
    }
}

impl Number {
    /// The word behind it.
    pub fn credits(self) -> &'static str {
        if self.0 == 1 { "credit" } else { "credits" }
    }
}

/// A time in UTC, which it says: `2026-11-26 03:59 UTC`.
#[derive(Clone, Copy)]
pub struct Moment(pub TimeMs);

impl Moment {
    pub fn day(self) -> String {
        show::day(self.0)
    }

    /// For machines.
    pub fn iso(self) -> String {
        show::machine(self.0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show::instant(self.0))
    }
}

/// What others have written, in one line: without control characters, without what turns or hides letters, cut where it gets long.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let (mut chars, mut gap) = (0, false);
    for letter in text.chars().filter(|letter| !is_invisible(*letter)) {
        if letter.is_whitespace() || letter.is_control() {
            gap = !line.is_empty();
            continue;
        }
        if chars + usize::from(gap) >= chars_max {
            line.push('…');
            return line;
        }
        if gap {
            line.push(' ');
            chars += 1;
        }
        line.push(letter);
        (chars, gap) = (chars + 1, false);
    }
    line
}

/// Letters that are not seen, and change how others are: marks of direction, joiners of zero width, tags, variations.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_one_line_without_tricks() {
        assert_eq!(one_line("  Ada\r\nBcc: eve@x\0 \t Ltd ", 60), "Ada Bcc: eve@x Ltd");
        assert_eq!(one_line("a\u{202e}b\u{200b}c\u{feff}", 60), "abc");
        assert_eq!(one_line("a\u{2028}b\u{2029}c\u{85}d", 60), "a b c d");
        assert_eq!(one_line("\u{200b}\r\n", 60), "");
        assert_eq!(one_line("Müller & 日本語", 60), "Müller & 日本語");
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        assert_eq!(one_line("abcde", 5), "abcde");
        assert_eq!(one_line("abcdef", 5), "abcde…");
        assert_eq!(one_line("abcd ef", 5), "abcd…");
        assert_eq!(one_line("abcde   ", 5), "abcde");
    }

    #[test]
    fn numbers_and_times_are_written_for_people() {
        let number = |value: u64| Number(value).to_string();
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        let moment = Moment(TimeMs::new(1_795_665_599_999));
        assert_eq!(
            (moment.to_string().as_str(), moment.iso().as_str()),
            ("2026-11-26 03:59 UTC", "2026-11-26T03:59:59Z")
        );
        assert_eq!(Moment(TimeMs::new(u64::MAX)).day(), "9999-12-30");
    }
}
