//! What live balances answer.

pub(super) mod read;

use serde::{Deserialize, Serialize};

use crate::{CapPeriod, Credits, EventId, OpId, SessionVersions, Split, Status, TimeMs};

/// Whose sessions a version is for, where it is for everybody's.
pub(in crate::live) const EVERYBODY: &str = "*";

/// The answer to a [`super::Debit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebitOutcome {
    /// Credits were drawn.
    Drawn(Drawn),
    /// Nothing was drawn and nothing was written.
    Refused(Refusal),
}

/// A debit that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its event.
    pub event: EventId,
    /// The account's own number of it.
    pub seq: u64,
    /// When, by the shard's clock.
    pub at: TimeMs,
    /// Credits left in lots that can be drawn at `at`.
    pub remaining: Credits,
    /// The budget after it, where one is set.
    pub budget: Option<BudgetView>,
    /// The lots it drew from, in burn order.
    pub split: Split,
    /// How the rates of the key stand, in the order of its policy; empty where it has none.
    pub rates: Vec<RateState>,
}

/// A rate after a request has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateState {
    /// Requests that may pass now.
    pub left: u64,
    /// Until as many as ever may pass at once.
    pub reset_ms: u64,
}

/// The answer to a request that draws nothing, of a key with rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateOutcome {
    /// It was counted.
    Passed(Vec<RateState>),
    /// It was not.
    Limited {
        /// Which rate, by its place in the policy, from 0.
        place: usize,
        /// When one may pass again.
        wait_ms: u64,
    },
}

/// A monthly budget as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    /// Credits a month, at least 1.
    pub limit: Credits,
    /// Credits drawn in this period.
    pub used: Credits,
    /// First instant of the next period.
    pub resets_at: TimeMs,
}

impl BudgetView {
    /// Credits that the budget still allows in this period.
    #[must_use]
    pub fn left(&self) -> Credits {
        self.limit.saturating_sub(self.used)
    }
}

/// Why a debit was refused, with the numbers that caused it. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The account's status does not allow it.
    Status(Status),
    /// The key was revoked.
    KeyRevoked,
    /// The caller's `Idempotency-Key` stands for a request already.
    Repeated {
        /// The op of that request's debit.
        first: OpId,
        /// How that request and this one stand to each other.
        how: Repeat,
    },
    /// The price does not fit into what a cap of the key has left.
    KeyCapExhausted {
        /// Which cap.
        which: CapPeriod,
        /// What it allows.
        cap: Credits,
        /// What was drawn of it.
        used: Credits,
        /// First instant of the next day or period.
        resets_at: TimeMs,
        /// What the request asked for.
        price: Credits,
    },
    /// The key was used too often.
    RateLimited {
        /// Which of its rates, by its place in the policy, from 0.
        place: usize,
        /// When one may pass again.
        wait_ms: u64,
    },
    /// The price does not fit into what the budget has left.
    BudgetExhausted {
        /// The budget as it stands.
        budget: BudgetView,
        /// What the request asked for.
        price: Credits,
    },
    /// The lots do not hold the price.
    CreditsExhausted {
        /// What they hold.
        remaining: Credits,
        /// What the request asked for.
        price: Credits,
    },
    /// The account is not installed yet: soon.
    Installing,
    /// The account is being installed anew: soon.
    Frozen,
    /// More is not yet in the book than the installation allows to be at risk.
    ExposureCap {
        /// Which of the caps.
        what: Exposure,
    },
    /// The debit came at or after its `not_after`.
    TooLate,
    /// The op was undone before it arrived.
    Closed,
}

/// How a request stands to an earlier one with its `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The earlier one is not over yet.
    InUse,
    /// The earlier one is over, and was not given back.
    Used,
    /// The earlier one was another request.
    Mismatch,
}

/// What an exposure cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// Events not yet in the book.
    Events,
    /// Credits drawn by events not yet in the book.
    Credits,
    /// Time since the owner last drained.
    Age,
}

/// The answer to a [`super::GiveBack`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GiveBackOutcome {
    /// The credits are back.
    Returned {
        /// Credits back in their lots.
        returned: Credits,
        /// Credits of lots that have expired meanwhile: gone.
        lapsed: Credits,
        /// Credits left now.
        remaining: Credits,
    },
    /// It was given back or undone before.
    AlreadyClosed,
    /// Its event is no longer at hand: the book decides.
    BecameUndo,
    /// The account is being installed: send it again soon.
    Deferred,
}

/// The answer to a [`super::Settle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettleOutcome {
    /// What was above the price is back.
    Settled {
        /// Credits that stay drawn.
        kept: Credits,
        /// Credits back in their lots.
        returned: Credits,
        /// Credits of lots that have expired meanwhile: gone.
        lapsed: Credits,
        /// Credits left now.
        remaining: Credits,
    },
    /// It was settled, given back, released or undone before.
    AlreadyClosed,
    /// Its event is no longer at hand: the book decides.
    BecameUndo,
    /// The account is being installed: send it again soon.
    Deferred,
}

/// The answer to a [`super::Confirm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmOutcome {
    /// Noted: it stays drawn, if the book still holds it open.
    Confirmed,
    /// Noted: its deadline is another now.
    Extended,
    /// It was confirmed, settled, given back or undone before: nothing was written.
    AlreadyClosed,
}

/// The answer to a [`super::Undo`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoOutcome {
    /// Noted; from here on the op can't draw, and the book decides about what it may have drawn.
    Marked,
    /// It was given back or undone before.
    AlreadyClosed,
    /// The account is being installed: send it again soon.
    Deferred,
}

/// What an account has, for the caller and the Billing screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditsView {
    /// Its status.
    pub status: Status,
    /// Credits in lots that can be drawn at `at`.
    pub remaining: Credits,
    /// Credits drawn in the current budget period.
    pub used_this_period: Credits,
    /// The budget, where one is set.
    pub budget: Option<BudgetView>,
    /// First instant of the next budget period.
    pub resets_at: TimeMs,
    /// When the next lot expires, and with how many credits as of now.
    pub next_expiry: Option<(TimeMs, Credits)>,
    /// When this was read, by the shard's clock.
    pub at: TimeMs,
}

/// What a session needs to know of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStanding {
    /// Its status.
    pub status: Status,
    /// Which of its sessions are still good.
    pub sessions: SessionVersions,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_was_lowered_below_what_is_used_leaves_nothing() {
        let credits = |count| Credits::new(count).unwrap();
        let view = |used| BudgetView { limit: credits(10), used: credits(used), resets_at: TimeMs::EPOCH };
        assert_eq!([4, 10, 12].map(|used| view(used).left().get()), [6, 0, 0]);
    }
}
