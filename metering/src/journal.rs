//! What a gateway writes down beside Redis of the debits and refusals it made, and posts to the book: a third witness, for what is
//! lost when Redis loses its tail.
//!
//! A frame is the length of its content and a checksum, four bytes each with the lowest first, and the content as JSON. A file that was cut
//! anywhere is read up to its last whole frame.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::{AccountId, Credits, EventId, KeyId, OpId, TimeMs};

/// No record is longer; whoever reads a longer length has met something else.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;
/// Length and checksum.
const HEAD_BYTES: usize = 8;

/// One thing that a gateway did. Holds ids and numbers only: no key, no path, no header of anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Record {
    /// Credits were drawn.
    Drawn(DebitDrawn),
    /// The request of a debit is over.
    Ended(DebitEnded),
    /// A request was refused.
    Refused(Box<Refused>),
    /// Records that could not be written: what is said about their time is incomplete.
    Gap(Gap),
    /// Refusals beyond what a second may hold: left out on purpose.
    LeftOut {
        /// How many.
        refusals: u64,
    },
    /// Something that a later release writes.
    #[serde(other)]
    Unknown,
}

/// A debit, as live state answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebitDrawn {
    /// The debit's op.
    pub op: OpId,
    /// Who pays.
    pub account: AccountId,
    /// Its event.
    pub event: EventId,
    /// What was drawn, or is held.
    pub credits: Credits,
    /// When, by the shard's clock.
    pub at: TimeMs,
}

/// How the request of a debit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebitEnded {
    /// The debit's op.
    pub op: OpId,
    /// Who pays.
    pub account: AccountId,
    /// Its event.
    pub event: EventId,
    /// What the caller pays in the end: less than was drawn where credits went back.
    pub kept: Credits,
    /// What was drawn, or held.
    pub credits: Credits,
    /// Whether it was a hold, which is settled even where nothing goes back.
    pub hold: bool,
    /// The upstream's final status; `None` where it did not answer.
    pub upstream_status: Option<u16>,
    /// Bytes of the answer's body that went to the caller.
    pub answer_bytes: u64,
    /// Since the draw.
    pub duration_ms: u64,
    /// When, by the shard's clock as far as the gateway knows it.
    pub at: TimeMs,
}

/// A refused request, with the numbers that caused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The request, as its answer names it.
    pub request: OpId,
    /// Whose it was, as far as the checks came.
    pub account: Option<AccountId>,
    /// The key it came with.
    pub key: Option<KeyId>,
    /// The route; `None` where none was found.
    pub route: Option<String>,
    /// The stable name of the rejection.
    pub code: String,
    /// What the request would have drawn, where that is among the numbers.
    pub price: Option<Credits>,
    /// The numbers, by the names that the answer has for them.
    pub detail: serde_json::Value,
    /// When the request began.
    pub at: TimeMs,
}

/// Records that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// How many.
    pub records: u64,
    /// When the first of them was left out, by the gateway's clock.
    pub from: TimeMs,
    /// And the last.
    pub to: TimeMs,
}

/// What a batch of frames begins with when it is posted; a frame like the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Which run of a gateway wrote the records; made anew at each start.
    pub run: Uuid,
    /// For people: host name and process id.
    pub name: String,
    /// Which of its files the records are from, from 1.
    pub file: u64,
    /// Where in that file they begin, in bytes.
    pub position: u64,
    /// With this batch everything is posted that happened up to so many milliseconds ago; `None` while more waits.
    pub whole_until_ms_ago: Option<u64>,
    /// The run is over and this is the last of it.
    pub ended: bool,
}

/// Why bytes are no frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JournalError {
    /// A record that is too long to be written.
    #[error("a record has more than {RECORD_BYTES_MAX} bytes")]
    TooLong,
    /// A frame that ends before its end, or has another checksum.
    #[error("a frame is torn")]
    Torn,
    /// A whole frame that is not what was to be there.
    #[error("a frame holds something else")]
    Odd,
}

/// Appends a frame.
pub fn write_frame<T: Serialize>(content: &T, bytes: &mut Vec<u8>) -> Result<(), JournalError> {
    let content = serde_json::to_vec(content).map_err(|_| JournalError::Odd)?;
    let length = u32::try_from(content.len()).map_err(|_| JournalError::TooLong)?;
    if content.len() > RECORD_BYTES_MAX {
        return Err(JournalError::TooLong);
    }
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum(length, &content).to_le_bytes());
    bytes.extend_from_slice(&content);
    Ok(())
}

/// Reads the frame that the bytes begin with; answers what follows it, too. `None` at the end.
pub fn read_frame<T: DeserializeOwned>(bytes: &[u8]) -> Result<Option<(T, &[u8])>, JournalError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (content, rest) = split_frame(bytes).ok_or(JournalError::Torn)?;
    Ok(Some((serde_json::from_slice(content).map_err(|_| JournalError::Odd)?, rest)))
}

/// How many of the bytes are whole frames, at most `most` of them unless the first frame alone is longer.
#[must_use]
pub fn whole_frames(bytes: &[u8], most: usize) -> usize {
    let mut whole = 0_usize;
    let mut rest = bytes;
    while let Some((_, after)) = split_frame(rest) {
        let end = bytes.len().saturating_sub(after.len());
        if end > most && whole > 0 {
            break;
        }
        (whole, rest) = (end, after);
    }
    whole
}

/// The content of the first frame, and what follows; `None` where it is torn.
fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let (length, sum) = head.split_first_chunk::<4>()?;
    let (length, sum) = (u32::from_le_bytes(*length), u32::from_le_bytes(sum.try_into().ok()?));
    let bytes = usize::try_from(length).ok().filter(|bytes| *bytes <= RECORD_BYTES_MAX)?;
    let (content, rest) = rest.split_at_checked(bytes)?;
    (checksum(length, content) == sum).then_some((content, rest))
}

/// Over the length as well, so that a run of zeros is no frame.
fn checksum(length: u32, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(b"tollgate");
    hasher.update(content);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(number: u64) -> Record {
        Record::Drawn(DebitDrawn {
            op: OpId::from_uuid(Uuid::from_u128(number.into())),
            account: AccountId::from_uuid(Uuid::from_u128(7)),
            event: EventId { incarnation: 3, sequence: number },
            credits: Credits::new(number).unwrap(),
            at: TimeMs::new(1_768_478_400_000),
        })
    }

    fn refused(code: &str, price: u64) -> Record {
        Record::Refused(Box::new(Refused {
            request: OpId::from_uuid(Uuid::from_u128(9)),
            account: None,
            key: None,
            route: Some("v1.messages".to_owned()),
            code: code.to_owned(),
            price: Credits::new(price).ok(),
            detail: serde_json::json!({ "price": price }),
            at: TimeMs::new(1),
        }))
    }

    fn read_all(mut bytes: &[u8]) -> (Vec<Record>, Option<JournalError>) {
        let mut records = Vec::new();
        loop {
            match read_frame(bytes) {
                Ok(Some((record, rest))) => {
                    records.push(record);
                    bytes = rest;
                }
                Ok(None) => return (records, None),
                Err(error) => return (records, Some(error)),
            }
        }
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_read_up_to_its_last_whole_record() {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for number in 0..3 {
            write_frame(&drawn(number), &mut bytes).unwrap();
            ends.push(bytes.len());
        }
        for cut in 0..=bytes.len() {
            let whole = ends.iter().rposition(|end| *end <= cut).unwrap();
            assert_eq!(whole_frames(&bytes[..cut], usize::MAX), ends[whole], "cut at {cut}");
            let (records, end) = read_all(&bytes[..cut]);
            assert_eq!(records.len(), whole);
            assert_eq!(end, (ends[whole] != cut).then_some(JournalError::Torn));
        }
        assert_eq!(whole_frames(&bytes, ends[2] + 1), ends[2], "no more than may go together");
        assert_eq!(whole_frames(&bytes, 1), ends[1], "but one at least");
    }

    #[test]
    fn a_flipped_bit_anywhere_is_found() {
        let mut bytes = Vec::new();
        write_frame(&drawn(5), &mut bytes).unwrap();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut broken = bytes.clone();
                broken[place] ^= 1 << bit;
                assert_eq!(read_frame::<Record>(&broken).unwrap_err(), JournalError::Torn, "byte {place}, bit {bit}");
            }
        }
        assert_eq!(whole_frames(&[0; 64], usize::MAX), 0, "a hole in a file is no record");
    }

    #[test]
    fn what_a_later_release_writes_is_read_over() {
        let mut bytes = Vec::new();
        write_frame(&serde_json::json!({ "what": "weather", "rain": true }), &mut bytes).unwrap();
        write_frame(&drawn(1), &mut bytes).unwrap();
        assert_eq!(read_all(&bytes), (vec![Record::Unknown, drawn(1)], None));
    }

    #[test]
    fn a_record_that_is_too_long_is_not_written() {
        let mut bytes = vec![1];
        let long = refused(&"x".repeat(RECORD_BYTES_MAX), 1);
        assert_eq!(write_frame(&long, &mut bytes), Err(JournalError::TooLong));
        assert_eq!(bytes, [1]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers in prop::collection::vec(0_u64..1 << 53, 0..20), code in "[a-z_]{1,40}") {
            let mut bytes = Vec::new();
            let mut records: Vec<Record> = numbers.iter().map(|number| drawn(*number)).collect();
            records.push(refused(&code, 5));
            records.push(Record::Gap(Gap { records: 4, from: TimeMs::new(1), to: TimeMs::new(2) }));
            records.push(Record::LeftOut { refusals: 12 });
            for record in &records {
                write_frame(record, &mut bytes).unwrap();
            }
            prop_assert_eq!(whole_frames(&bytes, usize::MAX), bytes.len());
            prop_assert_eq!(read_all(&bytes), (records, None));
        }

        #[test]
        fn bytes_of_chance_are_no_record_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(whole_frames(&bytes, usize::MAX), 0);
            let (records, _) = read_all(&bytes);
            prop_assert!(records.is_empty());
        }
    }

    #[test]
    fn a_record_of_many_thousand_bytes_is_kept() {
        let (mut bytes, long) = (Vec::new(), refused(&"x".repeat(15_000), 1));
        write_frame(&long, &mut bytes).unwrap();
        assert_eq!(read_all(&bytes), (vec![long], None));
    }

    #[test]
    fn the_longest_record_is_written_and_read_and_a_longer_one_is_nothing() {
        let of = |bytes: usize| "x".repeat(bytes - 2); // between quotes
        let mut bytes = Vec::new();
        write_frame(&of(RECORD_BYTES_MAX), &mut bytes).unwrap();
        assert_eq!(read_frame::<String>(&bytes), Ok(Some((of(RECORD_BYTES_MAX), &[][..]))));
        assert_eq!(whole_frames(&bytes, bytes.len()), bytes.len());
        let content = serde_json::to_vec(&of(RECORD_BYTES_MAX + 1)).unwrap();
        let length = u32::try_from(content.len()).unwrap();
        let sum = checksum(length, &content);
        let long = [&length.to_le_bytes()[..], &sum.to_le_bytes()[..], &content].concat();
        assert_eq!(read_frame::<String>(&long), Err(JournalError::Torn));
        assert_eq!(write_frame(&of(RECORD_BYTES_MAX + 1), &mut Vec::new()), Err(JournalError::TooLong));
    }

    #[test]
    fn frames_go_together_as_far_as_they_fit() {
        let mut bytes = Vec::new();
        write_frame(&drawn(1), &mut bytes).unwrap();
        let one = bytes.len();
        write_frame(&drawn(2), &mut bytes).unwrap();
        assert_eq!(
            [one - 1, one, one + 1, 2 * one - 1, 2 * one].map(|most| whole_frames(&bytes, most)),
            [one, one, one, one, 2 * one]
        );
        let other: Result<Option<(Head, _)>, _> = read_frame(&bytes);
        assert_eq!(other, Err(JournalError::Odd), "a record is no head");
    }
}
