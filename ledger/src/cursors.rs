//! Where pages begin, as text that people's programs carry from one page to the next and need not understand.

use std::fmt;
use std::str::FromStr;

use metering::TimeMs;
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::columns::{bigint, stamp};

/// A text that is no cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this is no place in this list: take the `next` of an earlier page, or begin without one")]
pub struct BadCursor;

/// Most letters of a cursor: more were never written.
const LETTERS_MAX: usize = 600;

/// Where a page of entries or receipts begins: after the entry it was taken from. A place in any account's list, so it says nothing about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryCursor {
    pub(crate) at: TimeMs,
    pub(crate) entry: u64,
}

impl fmt::Display for EntryCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "e{:x}.{:x}", self.at.as_u64(), self.entry)
    }
}

impl FromStr for EntryCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let mut parts = parts(text, 'e')?;
        let cursor = Self { at: TimeMs::new(number(parts.next())?), entry: number(parts.next())? };
        let fits = stamp(cursor.at).is_ok() && bigint(cursor.entry).is_ok();
        written_so(cursor, text, fits)
    }
}

impl Serialize for EntryCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What stands between the dots after the list's letter.
pub(crate) fn parts(text: &str, list: char) -> Result<std::str::Split<'_, char>, BadCursor> {
    let text = Some(text).filter(|text| text.len() <= LETTERS_MAX).and_then(|text| text.strip_prefix(list));
    text.map(|text| text.split('.')).ok_or(BadCursor)
}

pub(crate) fn number(part: Option<&str>) -> Result<u64, BadCursor> {
    part.and_then(|part| u64::from_str_radix(part, 16).ok()).ok_or(BadCursor)
}

/// The cursor, if this is the one way in which it is written.
pub(crate) fn written_so<T: fmt::Display>(cursor: T, text: &str, fits: bool) -> Result<T, BadCursor> {
    if fits && cursor.to_string() == text { Ok(cursor) } else { Err(BadCursor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_in_no_other_way() {
        let cursor = EntryCursor { at: TimeMs::new(1_768_478_400_000), entry: 12_345 };
        let text = cursor.to_string();
        assert_eq!(text.parse(), Ok(cursor));
        let bad = [
            "",
            "e",
            "e.",
            "e1",
            "e1.",
            "e1.2.3",
            "e1.2 ",
            "e01.2",
            "eA.2",
            "e+1.2",
            "a1.2",
            "e-1.2",
            "1.2",
            "e1.8000000000000000",
            "effffffffffffff.1",
            "e1.ffffffffffffffffff",
        ];
        for bad in bad.iter().map(ToString::to_string).chain([format!("{text}0.0"), "e".repeat(10_000)]) {
            assert_eq!(bad.parse::<EntryCursor>(), Err(BadCursor), "{bad}");
        }
    }
}
