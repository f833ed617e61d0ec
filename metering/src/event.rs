//! Events: one entry of a shard's stream, each a change of live money. Schema version 1.

mod decode;
mod packed;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(crate) use decode::{DebitNumbers, decode_fields};
pub use decode::{DecodeError, decode};
pub use packed::unpack;
pub(crate) use packed::{DEBIT, account, debits, split_and_numbers};

use crate::{
    AccountId, ControlKind, Credits, IdError, Idempotency, KeyId, OpId, RequestOutcome, RouteName, Split, TimeMs,
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

#[cfg(test)]
mod tests {
    use super::*;

    use uuid::Uuid;

    /// One of each kind, with the account's count that it raises, and the op it tells of; all of account 1.
    fn one_of_each() -> Vec<(Body, &'static str, Option<u64>, Option<u128>)> {
        let account = AccountId::from_uuid(Uuid::from_u128(1));
        let op = |number| OpId::from_uuid(Uuid::from_u128(number));
        let (at, four) = (TimeMs::new(9), Credits::new(4).unwrap());
        let debit = Body::Debit {
            account,
            seq: 2,
            op: op(5),
            credits: four,
            split: vec![],
            period_end: at,
            remaining_after: four,
            budget_used_after: four,
            key: None,
            route: "chat".parse().unwrap(),
            hold_until: None,
            idempotency: None,
        };
        let back = |kept| Body::GiveBack {
            account,
            seq: 3,
            op: op(6),
            debit_op: op(5),
            returned: vec![],
            lapsed: vec![],
            kept,
            period_end: at,
            remaining_after: four,
            budget_used_after: four,
            key: None,
            debited_at: at,
        };
        let ended = crate::Ended::Complete;
        let outcome = RequestOutcome { upstream_status: None, answer_bytes: 0, duration_ms: 0, ended };
        let (change, none) = (ControlKind::LotExpired, Split::new());
        vec![
            (Body::Installed { account, seq: 1, control_version: 1 }, "installed", None, None),
            (debit, "debit", Some(2), Some(5)),
            (back(None), "give_back", Some(3), Some(6)),
            (back(Some(Credits::ZERO)), "settle", Some(3), Some(6)),
            (
                Body::Undo { account, seq: 4, op: op(7), debit_op: op(5), not_after: at, kept: None },
                "undo",
                Some(4),
                Some(7),
            ),
            (Body::Confirm { account, debit_op: op(5), credits: four, outcome }, "confirm", None, Some(5)),
            (Body::Extend { account, debit_op: op(5), hold_until: at }, "extend", None, Some(5)),
            (
                Body::Control {
                    account,
                    seq: 8,
                    row: 1,
                    version: 2,
                    change,
                    returned: none.clone(),
                    lapsed: none.clone(),
                    taken: none,
                },
                "control",
                Some(8),
                None,
            ),
        ]
    }

    #[test]
    fn every_event_says_what_it_is_whose_it_is_and_what_made_it() {
        assert_eq!((Body::Opened.account(), Body::Opened.seq(), Body::Opened.op()), (None, None, None));
        assert_eq!((Body::Opened.kind(), Body::Opened.exposes()), ("opened", Credits::ZERO));
        for (body, kind, seq, op) in one_of_each() {
            assert_eq!((body.kind(), body.seq()), (kind, seq));
            assert_eq!(body.account(), Some(AccountId::from_uuid(Uuid::from_u128(1))), "{kind}");
            assert_eq!(body.op(), op.map(|number| OpId::from_uuid(Uuid::from_u128(number))), "{kind}");
            let at_risk = if ["debit", "confirm"].contains(&kind) { 4 } else { 0 };
            assert_eq!(body.exposes().get(), at_risk, "{kind}");
        }
    }

    #[test]
    fn an_event_s_id_is_read_back_and_nothing_else_is_one() {
        let id = EventId { incarnation: 7, sequence: 1_234 };
        assert_eq!((id.to_string().as_str(), "7-1234".parse()), ("7-1234", Ok(id)));
        for wrong in ["", "7", "7-", "-7", "7-1-2", "7--1", "+7-1", "7-9007199254740992"] {
            assert!(wrong.parse::<EventId>().is_err(), "{wrong}");
        }
    }
}
