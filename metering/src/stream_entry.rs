//! An entry of a shard's stream as it was read: its fields as they stood, and the event they make, if they make one.

use std::collections::HashMap;

use crate::event::{self, DecodeError, decode_fields};
use crate::{AccountId, Event, EventId};

/// The word for the kind of an entry that is no event.
pub const UNDECODABLE: &str = "undecodable";

/// One entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry {
    /// Where it stands.
    pub id: EventId,
    /// Its fields and their values, in the order of the stream.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The event they make.
    pub event: Result<Event, DecodeError>,
}

impl StreamEntry {
    /// Reads the fields of an entry. What is no text can be no field of an event, so it is kept and passed over.
    #[must_use]
    pub fn read(id: EventId, fields: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        let event = decode_fields(&id.to_string(), &texts(&fields));
        Self { id, fields, event }
    }

    /// Reads what stands at one id of a stream. That of debits holds those of a call, and has the id of the last: their ids
    /// follow each other. Debits that would come before the first id there is are one entry that makes no event.
    #[must_use]
    pub fn read_all(id: EventId, fields: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<Self> {
        let lines = match fields.as_slice() {
            [(name, value)] if name == event::DEBIT.as_bytes() => event::debits(value),
            _ => return vec![Self::read(id, fields)],
        };
        let after = id.sequence.saturating_add(1);
        let Some(first) = u64::try_from(lines.len()).ok().and_then(|lines| after.checked_sub(lines)) else {
            return vec![Self::read(id, fields)];
        };
        let one = |(line, sequence)| Self::read(EventId { sequence, ..id }, vec![(event::DEBIT.into(), line)]);
        lines.into_iter().zip(first..).map(one).collect()
    }

    /// The word for its kind; [`UNDECODABLE`] where it makes no event.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.event.as_ref().map_or(UNDECODABLE, |event| event.body.kind())
    }

    /// The account it is about, as far as that can be read.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        if let Ok(event) = &self.event {
            return event.body.account();
        }
        let fields = texts(&self.fields);
        let packed = fields.get(event::DEBIT).and_then(|packed| event::account(packed));
        packed.or(fields.get("a").copied()).and_then(|hex| AccountId::from_hex(hex).ok())
    }

    /// Its fields as people read them: of a debit, which is one field of many parts, each part by its name.
    #[must_use]
    pub fn readable(&self) -> Vec<(&[u8], &[u8])> {
        let packed = match self.fields.as_slice() {
            [(name, value)] if name == event::DEBIT.as_bytes() => std::str::from_utf8(value).ok(),
            _ => None,
        };
        match packed.and_then(event::unpack) {
            Some(parts) => parts.into_iter().map(|(name, part)| (name.as_bytes(), part.as_bytes())).collect(),
            None => self.fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect(),
        }
    }

    /// The fields as one text of bytes: each name and each value with its length before it (`1:k5:debit`).
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in self.fields.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(part.len().to_string().as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// Reads what [`Self::write`] wrote; `None` where the bytes are not whole.
    #[must_use]
    pub fn parse(id: EventId, bytes: &[u8]) -> Option<Self> {
        let (mut rest, mut fields) = (bytes, Vec::new());
        while !rest.is_empty() {
            let (name, after) = part(rest)?;
            let (value, after) = part(after)?;
            fields.push((name.to_vec(), value.to_vec()));
            rest = after;
        }
        Some(Self::read(id, fields))
    }
}

/// The first part, and what comes after it.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let (digits, rest) = bytes.split_at(colon);
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    rest.get(1..)?.split_at_checked(length)
}

fn texts(fields: &[(Vec<u8>, Vec<u8>)]) -> HashMap<&str, &str> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    fields.iter().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fields: &[(&str, &[u8])]) -> StreamEntry {
        let fields = fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).collect();
        StreamEntry::read(EventId { incarnation: 7, sequence: 3 }, fields)
    }

    #[test]
    fn an_entry_is_kept_exactly_whatever_its_bytes() {
        let account = "0123456789abcdef0123456789abcdef".as_bytes();
        let odd = entry(&[("v", b"1"), ("k", b"gift"), ("a", account), ("z", &[0, 0xff, b':', b'9']), ("", b"")]);
        assert_eq!(odd.kind(), UNDECODABLE);
        assert_eq!(odd.account(), AccountId::from_hex("0123456789abcdef0123456789abcdef").ok());
        assert_eq!(StreamEntry::parse(odd.id, &odd.write()), Some(odd.clone()));
        let bytes = odd.write();
        for cut in 1..bytes.len() {
            assert_ne!(StreamEntry::parse(odd.id, &bytes[..cut]), Some(odd.clone()), "cut at {cut}");
        }
        for wrong in [&b"x:1"[..], b"2:a", b"99999999999999999999:a", b"-1:a", b":"] {
            assert_eq!(StreamEntry::parse(odd.id, wrong), None);
        }
    }

    #[test]
    fn a_debit_that_can_t_be_read_still_says_whose_it_is() {
        let account = "0123456789abcdef0123456789abcdef";
        for odd in [format!("nobody;{account};what is this"), format!("{account};{account}")] {
            let odd = entry(&[("debit", odd.as_bytes())]);
            assert_eq!(odd.event.as_ref().unwrap_err().field, "debit");
            assert_eq!((odd.kind(), odd.account()), (UNDECODABLE, AccountId::from_hex(account).ok()));
        }
        assert_eq!(entry(&[("debit", b"what is this")]).account(), None);
    }

    #[test]
    fn the_debits_of_a_call_are_events_that_follow_each_other_and_the_last_has_the_id_of_their_entry() {
        let read = |sequence, fields: &[(&str, &[u8])]| -> Vec<StreamEntry> {
            let fields = fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).collect();
            StreamEntry::read_all(EventId { incarnation: 7, sequence }, fields)
        };
        let lines = |entries: Vec<StreamEntry>| -> Vec<(u64, Vec<u8>)> {
            let line = |mut entry: StreamEntry| (entry.id.sequence, entry.fields.remove(0).1);
            entries.into_iter().map(line).collect()
        };
        let three = [(3, b"a".to_vec()), (4, b"b".to_vec()), (5, b"\xff".to_vec())];
        assert_eq!(lines(read(5, &[("debit", b"a\nb\n\xff")])), three);
        assert_eq!(lines(read(5, &[("debit", b"a")])), [(5, b"a".to_vec())]);
        assert_eq!(lines(read(1, &[("debit", b"a\nb")])), [(0, b"a".to_vec()), (1, b"b".to_vec())]);
        assert_eq!(lines(read(1, &[("debit", b"a\nb\nc")])), [(1, b"a\nb\nc".to_vec())], "there is no event before 0");
        assert_eq!(lines(read(5, &[("v", b"1\n2")])), [(5, b"1\n2".to_vec())], "only debits have lines");
        assert_eq!(lines(read(5, &[("debit", b"a\nb"), ("v", b"1")])), [(5, b"a\nb".to_vec())]);
    }

    #[test]
    fn a_debit_is_shown_part_by_part_and_what_is_no_debit_as_it_stood() {
        let debit = entry(&[("debit", b"op;whose;7:3;;chat;numbers;9")]);
        let shown = [
            ("v", "1"),
            ("k", "debit"),
            ("op", "op"),
            ("a", "whose"),
            ("s", "7:3"),
            ("i", ""),
            ("p", "chat"),
            ("b", "numbers"),
            ("h", "9"),
        ];
        assert_eq!(debit.readable(), shown.map(|(name, part)| (name.as_bytes(), part.as_bytes())));
        let odd: [&[(&str, &[u8])]; 3] =
            [&[("debit", b"op;whose")], &[("debit", &[0xff, b';'])], &[("v", b"1"), ("debit", b"o;a;s;;p;n")]];
        for fields in odd {
            let as_they_stood: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), *value)).collect();
            assert_eq!(entry(fields).readable(), as_they_stood);
        }
    }

    #[test]
    fn an_entry_that_is_an_event_says_so_and_one_that_is_not_may_have_no_account() {
        let opened = entry(&[("v", b"1"), ("k", b"opened"), ("t", b"1000")]);
        assert_eq!((opened.kind(), opened.account()), ("opened", None));
        assert_eq!(entry(&[("v", b"1"), ("k", b"opened"), ("t", &[0xff])]).event.unwrap_err().field, "t");
        assert_eq!(entry(&[("a", b"nobody")]).account(), None);
    }
}
