//! What gateways ask of live balances.

use std::sync::Arc;

use crate::{
    AccountId, Credits, EventId, Idempotency, IdempotencyKey, KeyId, OpId, Rate, RequestOutcome, RouteName, TimeMs,
};

/// The rates that a key is held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRates {
    /// The key against which they count; several keys may share one.
    pub of: KeyId,
    /// As `rates.lua` reads them; written once a key, because each of its requests carries it.
    pub(super) spec: Arc<str>,
}

impl KeyRates {
    /// `None` without a rate.
    #[must_use]
    pub fn new(of: KeyId, rates: &[Rate]) -> Option<Self> {
        let one = |rate: &Rate| format!("{}:{}:{}", rate.name(), rate.emission_us(), rate.burst());
        let spec = rates.iter().map(one).collect::<Vec<_>>().join(",");
        (!spec.is_empty()).then(|| Self { of, spec: spec.into() })
    }
}

/// Draw credits for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debit {
    /// Made by the asker before asking; never used twice.
    pub op: OpId,
    /// Who pays.
    pub account: AccountId,
    /// The key that asked, so that a revoked one is refused here at once.
    pub key: Option<KeyId>,
    /// The rates of that key, if it has any.
    pub rates: Option<KeyRates>,
    /// How many, at least 1.
    pub credits: Credits,
    /// Redis time from which on this debit is refused, so that a command which arrives late draws nothing.
    pub not_after: TimeMs,
    /// The route, for the receipt.
    pub route: RouteName,
    /// Makes it a hold: to be settled or confirmed, or else released from this Redis time on.
    pub hold_until: Option<TimeMs>,
    /// The caller's `Idempotency-Key`, under which it draws at most once.
    pub idempotency: Option<Idempotency>,
}

/// Give back a debit whose event is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveBack {
    /// Made by the asker; the same when it is sent again.
    pub op: OpId,
    /// Who paid.
    pub account: AccountId,
    /// The debit's op.
    pub debit_op: OpId,
    /// The debit's event.
    pub debit_event: EventId,
    /// The debit's `not_after`, for when this has to become an undo.
    pub debit_not_after: TimeMs,
    /// The `Idempotency-Key` it drew under, which may then be used again.
    pub idempotency: Option<IdempotencyKey>,
}

/// Settle a hold whose event is known: what it holds above the price goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// Made by the asker; the same when it is sent again.
    pub op: OpId,
    /// Who pays.
    pub account: AccountId,
    /// The hold's op.
    pub debit_op: OpId,
    /// The hold's event.
    pub debit_event: EventId,
    /// The hold's `not_after`, for when this has to become an undo of what is above the price.
    pub debit_not_after: TimeMs,
    /// What stays drawn; above what is held, all of it does.
    pub price: Credits,
}

/// Say how the request of a debit with a deadline stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// The debit's op.
    pub debit_op: OpId,
    /// Who pays.
    pub account: AccountId,
    /// What is to be said.
    pub progress: Progress,
}

/// How the request of a debit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is over, and what it drew stays drawn.
    Over {
        /// What it drew.
        credits: Credits,
        /// How it ended.
        outcome: RequestOutcome,
    },
    /// It goes on: it is to be confirmed by this Redis time, or else given back.
    GoesOn {
        /// The deadline; one before that in force changes nothing.
        hold_until: TimeMs,
    },
}

/// Undo a debit whose outcome is not known: the book decides whether there is anything to give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// Made by the asker; the same when it is sent again.
    pub op: OpId,
    /// Who may have paid.
    pub account: AccountId,
    /// The debit's op.
    pub debit_op: OpId,
    /// The debit's `not_after`.
    pub not_after: TimeMs,
    /// The `Idempotency-Key` it may have drawn under, which may then be used again.
    pub idempotency: Option<IdempotencyKey>,
}
