//! Events: one entry of a shard's stream, each a change of live money. Schema version 1.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    AccountId, ControlKind, Credits, Fingerprint, IdError, Idempotency, IdempotencyKey, KeyId, OpId, RequestOutcome,
    RouteName, Split, TimeMs, lots,
};

/// The schema version written by this release's scripts in field `v`.
pub const SCHEMA_VERSION: &str = "1";

/// Where an event stands: gap-free in its incarnation. Shown as `7-1234`, its id in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId {
    /// The incarnation of the shard.
    pub incarnation: u64,
    /// 0 is `opened`; each later event is one more.
    pub sequence: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.incarnation, self.sequence)
    }
}

impl FromStr for EventId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = IdError { expected: "an event id (incarnation-sequence)" };
        let (incarnation, sequence) = text.split_once('-').ok_or(wrong.clone())?;
        let read = |digits: &str| digits.parse::<Credits>().map(Credits::get).map_err(|_| wrong.clone());
        Ok(Self { incarnation: read(incarnation)?, sequence: read(sequence)? })
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Where it stands.
    pub id: EventId,
    /// When it happened, by the shard's clock.
    pub at: TimeMs,
    /// What happened.
    pub body: Body,
}

/// What happened. Field `seq` is the account's own count of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields of each variant are named in its sentence or are DESIGN's words")]
pub enum Body {
    /// The incarnation begins; always sequence 0.
    Opened,
    /// An account was written from the book, at this control version. Does not raise `seq`.
    Installed { account: AccountId, seq: u64, control_version: u64 },
    /// Credits were drawn for `op`, from the lots of `split`, in the budget period that ends at `period_end`. With `hold_until` they
    /// are a hold: to be settled, or else released from then on.
    Debit {
        account: AccountId,
        seq: u64,
        op: OpId,
        credits: Credits,
        split: Split,
        period_end: TimeMs,
        remaining_after: Credits,
        budget_used_after: Credits,
        key: Option<KeyId>,
        route: RouteName,
        hold_until: Option<TimeMs>,
        idempotency: Option<Idempotency>,
    },
    /// The debit of `debit_op` was undone: `returned` to its lots, `lapsed` where a lot has expired meanwhile. With `kept` it was a
    /// hold that was settled, and so many credits stay drawn. `key` had asked for it, at `debited_at`.
    GiveBack {
        account: AccountId,
        seq: u64,
        op: OpId,
        debit_op: OpId,
        returned: Split,
        lapsed: Split,
        kept: Option<Credits>,
        period_end: TimeMs,
        remaining_after: Credits,
        budget_used_after: Credits,
        key: Option<KeyId>,
        debited_at: TimeMs,
    },
    /// Somebody asks to undo `debit_op`, whose outcome they do not know, and with `kept` all but that, because
    /// it was a hold that was settled; it can't be drawn from `not_after` on.
    Undo { account: AccountId, seq: u64, op: OpId, debit_op: OpId, not_after: TimeMs, kept: Option<Credits> },
    /// The request of `debit_op`, which had drawn `credits` until a deadline, is over, and this is how: it stays drawn. Moves no credits
    /// and does not raise `seq`.
    Confirm { account: AccountId, debit_op: OpId, credits: Credits, outcome: RequestOutcome },
    /// The request of `debit_op` goes on: its deadline is `hold_until`. Moves no credits and does not raise `seq`.
    Extend { account: AccountId, debit_op: OpId, hold_until: TimeMs },
    /// The change of outbox row `row` was applied; `returned`, `lapsed` and `taken` say which credits moved.
    Control {
        account: AccountId,
        seq: u64,
        row: u64,
        version: u64,
        change: ControlKind,
        returned: Split,
        lapsed: Split,
        taken: Split,
    },
}

impl Body {
    /// The account it is about; `None` for `opened`.
    #[must_use]
    pub const fn account(&self) -> Option<AccountId> {
        match self {
            Self::Opened => None,
            Self::Installed { account, .. }
            | Self::Debit { account, .. }
            | Self::GiveBack { account, .. }
            | Self::Undo { account, .. }
            | Self::Confirm { account, .. }
            | Self::Extend { account, .. }
            | Self::Control { account, .. } => Some(*account),
        }
    }

    /// The account's count that this event raised; `None` where it raises none.
    #[must_use]
    pub const fn seq(&self) -> Option<u64> {
        match self {
            Self::Opened | Self::Installed { .. } | Self::Confirm { .. } | Self::Extend { .. } => None,
            Self::Debit { seq, .. }
            | Self::GiveBack { seq, .. }
            | Self::Undo { seq, .. }
            | Self::Control { seq, .. } => Some(*seq),
        }
    }

    /// Credits that are at risk until it is in the book: what it drew, or what it confirms.
    #[must_use]
    pub const fn exposes(&self) -> Credits {
        match self {
            Self::Debit { credits, .. } | Self::Confirm { credits, .. } => *credits,
            _ => Credits::ZERO,
        }
    }

    /// The op that made it, for a confirmation and an extension that of their debit; `None` where the owner made it.
    #[must_use]
    pub const fn op(&self) -> Option<OpId> {
        match self {
            Self::Debit { op, .. } | Self::GiveBack { op, .. } | Self::Undo { op, .. } => Some(*op),
            Self::Confirm { debit_op, .. } | Self::Extend { debit_op, .. } => Some(*debit_op),
            Self::Opened | Self::Installed { .. } | Self::Control { .. } => None,
        }
    }

    /// The word for its kind, as in field `k` of the stream.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Installed { .. } => "installed",
            Self::Debit { .. } => "debit",
            Self::GiveBack { kept: None, .. } => "give_back",
            Self::GiveBack { kept: Some(_), .. } => "settle",
            Self::Undo { .. } => "undo",
            Self::Confirm { .. } => "confirm",
            Self::Extend { .. } => "extend",
            Self::Control { .. } => "control",
        }
    }
}

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
        let mut numbers = text.split(' ').map(|digits| digits.parse::<Credits>().ok());
        let mut next = || numbers.next().flatten();
        let read = Self {
            seq: next()?.get(),
            at: TimeMs::new(next()?.get()),
            credits: next()?,
            period_end: TimeMs::new(next()?.get()),
            remaining_after: next()?,
            budget_used_after: next()?,
        };
        numbers.next().is_none().then_some(read)
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
    Reader { id, fields }.event()
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
mod tests {
    use super::*;
    use uuid::Uuid;

    fn debit_fields() -> HashMap<String, String> {
        let id = Uuid::from_u128(5).as_simple().to_string();
        [("v", "1"), ("k", "debit"), ("b", "3 1000 4 2000 10 4"), ("s", "7:3,9:1"), ("i", ""), ("p", "v1.messages")]
            .into_iter()
            .chain([("op", id.as_str()), ("a", &id)])
            .map(|(field, value)| (field.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn a_debit_is_read_as_the_script_wrote_it() {
        let event = decode("7-12", &debit_fields()).unwrap();
        assert_eq!(event.id, EventId { incarnation: 7, sequence: 12 });
        assert_eq!((event.body.seq(), event.body.kind()), (Some(3), "debit"));
    }

    #[test]
    fn an_entry_with_any_field_missing_or_odd_is_refused_by_name() {
        for field in ["v", "k", "b", "s", "i", "p", "op", "a"] {
            let mut missing = debit_fields();
            missing.remove(field);
            assert_eq!(decode("7-12", &missing).unwrap_err().field, field);
            let mut odd = debit_fields();
            odd.insert(field.to_owned(), "~".to_owned());
            assert!(decode("7-12", &odd).is_err(), "{field}");
        }
        for odd in ["3 1000 4 2000 10", "3 1000 4 2000 10 4 4", "3 1000 4 2000 10 -4", "3  1000 4 2000 10 4"] {
            let mut fields = debit_fields();
            fields.insert("b".to_owned(), odd.to_owned());
            assert_eq!(decode("7-12", &fields).unwrap_err().field, "b", "{odd}");
        }
        let mut short = debit_fields();
        short.insert("s".to_owned(), "7:3".to_owned());
        assert_eq!(decode("7-12", &short).unwrap_err().field, "s", "a split that is not its sum");
    }
}
