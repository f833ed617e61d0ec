//! Where a page of activities begins, in each of the sources that are leafed through together.

use std::fmt;
use std::str::FromStr;

use jiff_sqlx::ToSqlx;
use serde::{Serialize, Serializer};

use crate::LedgerError;
use crate::columns::{Stamp, bigint};
use crate::cursors::{BadCursor, number, parts, written_so};

/// Latest microsecond of the year 9999 that can be written, and one before it.
const MICROS_MAX: u64 = 253_402_207_200_000_000;
/// Most bytes of an event's name.
const EVENT_BYTES_MAX: usize = 255;

/// Where a page of activities begins: after the line it was taken from. A place in any account's list, so it says nothing about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityCursor {
    /// Microseconds since 1970: two clocks write the lines, and one of them is finer than a millisecond.
    micros: u64,
    place: Place,
}

/// The sources, in the order in which they stand within one microsecond, and the line's name there.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Audit(u64),
    Delivery(String),
    Mail(u64),
}

/// What each source is read after: an instant, and a name within it.
pub(super) struct Places {
    pub audit: (Stamp, i64),
    pub deliveries: (Stamp, String),
    pub mails: (Stamp, i64),
}

/// After everything.
pub(super) fn end_of_time() -> Stamp {
    instant(MICROS_MAX)
}

fn instant(micros: u64) -> Stamp {
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX).to_sqlx()
}

/// Of the line's own source what comes after it; of those before it in the same instant nothing more; of those after it all.
pub(super) fn places(after: Option<&ActivityCursor>) -> Result<Places, LedgerError> {
    let Some(ActivityCursor { micros, place }) = after else {
        let end = end_of_time();
        return Ok(Places { audit: (end, 0), deliveries: (end, String::new()), mails: (end, 0) });
    };
    let (earlier, with_it) = (instant(*micros), instant(micros.saturating_add(1)));
    Ok(match place {
        Place::Audit(row) => {
            Places { audit: (earlier, bigint(*row)?), deliveries: (with_it, String::new()), mails: (with_it, 0) }
        }
        Place::Delivery(event) => {
            Places { audit: (earlier, 0), deliveries: (earlier, event.clone()), mails: (with_it, 0) }
        }
        Place::Mail(row) => {
            Places { audit: (earlier, 0), deliveries: (earlier, String::new()), mails: (earlier, bigint(*row)?) }
        }
    })
}

impl ActivityCursor {
    pub(super) fn of(at: Stamp, source: i16, row: u64, event: Option<String>) -> Result<Self, LedgerError> {
        let micros = u64::try_from(at.to_jiff().as_microsecond())
            .map_err(|_| LedgerError::Corrupt("a time before 1970".to_owned()))?;
        let place = match (source, event) {
            (0, _) => Place::Audit(row),
            (_, Some(event)) => Place::Delivery(event),
            (_, None) => Place::Mail(row),
        };
        Ok(Self { micros, place })
    }
}

impl fmt::Display for ActivityCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a{:x}.", self.micros)?;
        match &self.place {
            Place::Audit(row) => write!(formatter, "0.{row:x}"),
            Place::Delivery(event) => {
                formatter.write_str("1.")?;
                event.bytes().try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
            Place::Mail(row) => write!(formatter, "2.{row:x}"),
        }
    }
}

impl FromStr for ActivityCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let mut parts = parts(text, 'a')?;
        let micros = number(parts.next())?;
        let (source, name) = (parts.next(), parts.next().ok_or(BadCursor)?);
        let place = match source {
            Some("0") => Place::Audit(number(Some(name))?),
            Some("1") => Place::Delivery(event(name)?),
            Some("2") => Place::Mail(number(Some(name))?),
            _ => return Err(BadCursor),
        };
        let fits = micros < MICROS_MAX
            && match &place {
                Place::Audit(row) | Place::Mail(row) => bigint(*row).is_ok(),
                Place::Delivery(event) => (1..=EVENT_BYTES_MAX).contains(&event.len()) && !event.contains('\0'),
            };
        written_so(Self { micros, place }, text, fits)
    }
}

impl Serialize for ActivityCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A name that was written byte by byte.
fn event(hex: &str) -> Result<String, BadCursor> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(BadCursor);
    }
    let byte = |pair: &[u8; 2]| str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>().ok_or(BadCursor)?;
    String::from_utf8(bytes).map_err(|_| BadCursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_in_no_other_way() {
        let event = Place::Delivery("evt_1Ä".to_owned());
        for place in [Place::Audit(0), Place::Audit(77), event, Place::Mail(3)] {
            let cursor = ActivityCursor { micros: 1_768_478_400_000_123, place };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let long = format!("a1.1.{}", "61".repeat(256));
        let bad = [
            "",
            "a",
            "a1",
            "a1.0",
            "a1.3.1",
            "a1.0.1.2",
            "a1.1.",
            "a1.1.6",
            "a1.1.ff",
            "a1.1.00",
            "a1.1.6A",
            "a1.0.0x1",
            "e1.1",
            "a01.0.1",
            "afffffffffffffff.0.1",
            "a1.0.8000000000000000",
            &long,
        ];
        for bad in bad {
            assert_eq!(bad.parse::<ActivityCursor>(), Err(BadCursor), "{bad}");
        }
    }
}
