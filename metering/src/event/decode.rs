//! Reads the entries of a shard's stream. What is missing or odd is refused with the name of its field.

use std::collections::HashMap;
use std::fmt;

use thiserror::Error;

use super::{Body, Event, SCHEMA_VERSION, packed};
use crate::credits::Numbers;
use crate::{
    AccountId, Credits, Fingerprint, Idempotency, IdempotencyKey, KeyId, OpId, RequestOutcome, Split, TimeMs, lots,
};

/// The numbers of a debit, as `debit.lua` packs them into one field: it is on the path of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DebitNumbers {
    pub(crate) seq: u64,
    pub(crate) at: TimeMs,
    pub(crate) credits: Credits,
    pub(crate) period_end: TimeMs,
    pub(crate) remaining_after: Credits,
    pub(crate) budget_used_after: Credits,
}

impl DebitNumbers {
    /// Reads six whole numbers with one blank between them.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut numbers = Numbers::of(text);
        let mut next = || numbers.next();
        let read = Self {
            seq: next()?.get(),
            at: TimeMs::new(next()?.get()),
            credits: next()?,
            period_end: TimeMs::new(next()?.get()),
            remaining_after: next()?,
            budget_used_after: next()?,
        };
        numbers.are_over().then_some(read)
    }

    /// Those of the debit that drew the same right behind it; `None` where there can be none.
    pub(crate) fn following(self) -> Option<Self> {
        Some(Self {
            seq: self.seq.checked_add(1)?,
            remaining_after: self.remaining_after.checked_sub(self.credits)?,
            budget_used_after: self.budget_used_after.checked_add(self.credits)?,
            ..self
        })
    }
}

/// As [`DebitNumbers::read`] reads them.
impl fmt::Display for DebitNumbers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, at, credits, period_end, remaining_after, budget_used_after } = self;
        let (at, period_end) = (at.as_u64(), period_end.as_u64());
        let [credits, remaining, used] = [credits, remaining_after, budget_used_after].map(|it| it.get());
        write!(formatter, "{seq} {at} {credits} {period_end} {remaining} {used}")
    }
}

/// A stream entry that is not an event of this schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("event {id}: field '{field}' is missing or not what it should be")]
pub struct DecodeError {
    /// The entry.
    pub id: String,
    /// The field.
    pub field: &'static str,
}

/// Reads a stream entry: its id and its fields, by name.
#[expect(clippy::implicit_hasher, reason = "fields come from one place, with the standard hasher")]
pub fn decode(id: &str, fields: &HashMap<String, String>) -> Result<Event, DecodeError> {
    let fields = fields.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    decode_fields(id, &fields)
}

pub(crate) fn decode_fields(id: &str, fields: &HashMap<&str, &str>) -> Result<Event, DecodeError> {
    let Some(packed) = fields.get(packed::DEBIT).filter(|_| fields.len() == 1) else {
        return Reader { id, fields }.event();
    };
    let unpacked = packed::unpack(packed).ok_or_else(|| DecodeError { id: id.to_owned(), field: packed::DEBIT })?;
    Reader { id, fields: &unpacked.into_iter().collect() }.event()
}

struct Reader<'a> {
    id: &'a str,
    fields: &'a HashMap<&'a str, &'a str>,
}

impl Reader<'_> {
    fn event(&self) -> Result<Event, DecodeError> {
        let id = self.id.parse().map_err(|_| self.wrong("id"))?;
        if self.text("v")? != SCHEMA_VERSION {
            return Err(self.wrong("v"));
        }
        let body = match self.text("k")? {
            "opened" => Body::Opened,
            "installed" => Body::Installed {
                account: self.account()?,
                seq: self.number("q")?,
                control_version: self.number("cv")?,
            },
            "debit" => self.debit()?,
            "give_back" => self.give_back(None)?,
            "settle" => self.give_back(Some(self.credits("kp")?))?,
            "undo" => Body::Undo {
                account: self.account()?,
                seq: self.number("q")?,
                op: self.op("op")?,
                debit_op: self.op("of")?,
                not_after: TimeMs::new(self.number("na")?),
                kept: self.fields.contains_key("kp").then(|| self.credits("kp")).transpose()?,
            },
            "confirm" => Body::Confirm {
                account: self.account()?,
                debit_op: self.op("op")?,
                credits: self.credits("c")?,
                outcome: RequestOutcome::read(self.text("o")?).ok_or_else(|| self.wrong("o"))?,
            },
            "extend" => Body::Extend {
                account: self.account()?,
                debit_op: self.op("op")?,
                hold_until: TimeMs::new(self.number("h")?),
            },
            "control" => self.control()?,
            _ => return Err(self.wrong("k")),
        };
        let at = match self.fields.get("b").and_then(|text| DebitNumbers::read(text)) {
            Some(numbers) => numbers.at,
            None => TimeMs::new(self.number("t")?),
        };
        Ok(Event { id, at, body })
    }

    fn debit(&self) -> Result<Body, DecodeError> {
        let split = self.split("s")?;
        let numbers = DebitNumbers::read(self.text("b")?).ok_or_else(|| self.wrong("b"))?;
        let credits = numbers.credits;
        if split.is_empty() || lots::total(&split) != Some(credits) {
            return Err(self.wrong("s"));
        }
        Ok(Body::Debit {
            account: self.account()?,
            seq: numbers.seq,
            op: self.op("op")?,
            credits,
            split,
            period_end: numbers.period_end,
            remaining_after: numbers.remaining_after,
            budget_used_after: numbers.budget_used_after,
            key: self.key("i")?,
            route: self.text("p")?.parse().map_err(|_| self.wrong("p"))?,
            hold_until: self.fields.contains_key("h").then(|| self.number("h").map(TimeMs::new)).transpose()?,
            idempotency: self.fields.get("y").map(|text| self.idempotency(text)).transpose()?,
        })
    }

    /// `key fingerprint in_use_until`.
    fn idempotency(&self, text: &str) -> Result<Idempotency, DecodeError> {
        let mut words = text.split(' ');
        let mut next = || words.next().ok_or_else(|| self.wrong("y"));
        let (key, fingerprint, until) = (next()?, next()?, next()?);
        let until: Credits = until.parse().map_err(|_| self.wrong("y"))?; // the same rule for digits
        let read = Idempotency {
            key: IdempotencyKey::from_hex(key).map_err(|_| self.wrong("y"))?,
            fingerprint: Fingerprint::from_hex(fingerprint).map_err(|_| self.wrong("y"))?,
            in_use_until: TimeMs::new(until.get()),
        };
        if words.next().is_none() { Ok(read) } else { Err(self.wrong("y")) }
    }

    /// Before this release a give-back did not say which key had asked, nor when: those are not known.
    fn give_back(&self, kept: Option<Credits>) -> Result<Body, DecodeError> {
        Ok(Body::GiveBack {
            account: self.account()?,
            seq: self.number("q")?,
            op: self.op("op")?,
            debit_op: self.op("of")?,
            returned: self.split("s")?,
            lapsed: self.split("l")?,
            kept,
            period_end: TimeMs::new(self.number("e")?),
            remaining_after: self.credits("r")?,
            budget_used_after: self.credits("u")?,
            key: if self.fields.contains_key("i") { self.key("i")? } else { None },
            debited_at: if self.fields.contains_key("d") { TimeMs::new(self.number("d")?) } else { TimeMs::EPOCH },
        })
    }

    fn control(&self) -> Result<Body, DecodeError> {
        Ok(Body::Control {
            account: self.account()?,
            seq: self.number("q")?,
            row: self.number("w")?,
            version: self.number("cv")?,
            change: self.text("c")?.parse().map_err(|_| self.wrong("c"))?,
            returned: self.split("s")?,
            lapsed: self.split("l")?,
            taken: self.split("x")?,
        })
    }

    fn text(&self, field: &'static str) -> Result<&str, DecodeError> {
        self.fields.get(field).copied().ok_or_else(|| self.wrong(field))
    }

    fn number(&self, field: &'static str) -> Result<u64, DecodeError> {
        self.credits(field).map(Credits::get) // the same rule for digits: 0 to 2^53 − 1
    }

    fn credits(&self, field: &'static str) -> Result<Credits, DecodeError> {
        self.text(field)?.parse().map_err(|_| self.wrong(field))
    }

    fn split(&self, field: &'static str) -> Result<Split, DecodeError> {
        lots::read(self.text(field)?).ok_or_else(|| self.wrong(field))
    }

    /// An empty text is no key.
    fn key(&self, field: &'static str) -> Result<Option<KeyId>, DecodeError> {
        match self.text(field)? {
            "" => Ok(None),
            hex => KeyId::from_hex(hex).map(Some).map_err(|_| self.wrong(field)),
        }
    }

    fn account(&self) -> Result<AccountId, DecodeError> {
        AccountId::from_hex(self.text("a")?).map_err(|_| self.wrong("a"))
    }

    fn op(&self, field: &'static str) -> Result<OpId, DecodeError> {
        OpId::from_hex(self.text(field)?).map_err(|_| self.wrong(field))
    }

    fn wrong(&self, field: &'static str) -> DecodeError {
        DecodeError { id: self.id.to_owned(), field }
    }
}

#[cfg(test)]
mod tests;
