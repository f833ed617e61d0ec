//! A debit whose request is not over. It can't be forgotten: dropped while open, it hands itself to the restitutions.

use std::time::Duration;

use metering::live::{Debit, Drawn, GiveBack, GiveBackOutcome, Meter, Undo};
use metering::{AccountId, Credits, OpId, TimeMs};
use uuid::Uuid;

use crate::meter_call::within;
use crate::restitution::{Restitution, Restitutions};

/// From the moment it is asked for until the request has ended.
pub struct OpenDebit {
    op: OpId,
    account: AccountId,
    credits: Credits,
    not_after: TimeMs,
    state: State,
    /// Whether credits go back when the process stops in the middle of the request.
    back_when_cut: bool,
    restitutions: Restitutions,
}

enum State {
    /// Asked, no answer yet: it may have happened.
    Asked,
    Drawn(Drawn),
    /// The caller pays; nothing is left to do.
    Kept(Drawn),
    /// The credits are back, or on their way.
    GivenBack {
        remaining: Option<Credits>,
    },
    /// It did not happen, or its undo is on its way.
    Closed,
}

/// How a debit stands, for the log line and the answer's headers.
pub enum Standing<'a> {
    Drawn(&'a Drawn),
    GivenBack { remaining: Option<Credits> },
    Nothing,
}

impl OpenDebit {
    pub fn asked(ask: &Debit, restitutions: Restitutions) -> Self {
        Self {
            op: ask.op,
            account: ask.account,
            credits: ask.credits,
            not_after: ask.not_after,
            state: State::Asked,
            back_when_cut: true,
            restitutions,
        }
    }

    pub fn drawn(&mut self, drawn: Drawn) {
        self.state = State::Drawn(drawn);
    }

    /// The debit was refused: there is nothing to give back.
    pub fn refused(mut self) {
        self.state = State::Closed;
    }

    pub fn credits(&self) -> Credits {
        self.credits
    }

    pub fn standing(&self) -> Standing<'_> {
        match &self.state {
            State::Drawn(drawn) | State::Kept(drawn) => Standing::Drawn(drawn),
            State::GivenBack { remaining } => Standing::GivenBack { remaining: *remaining },
            State::Asked | State::Closed => Standing::Nothing,
        }
    }

    pub fn is_drawn(&self) -> bool {
        matches!(self.state, State::Drawn(_))
    }

    /// The upstream has the request: from here on the route says what a stop of the process means.
    pub fn upstream_reached(&mut self, back_when_cut: bool) {
        self.back_when_cut = back_when_cut;
    }

    /// The request is over and the caller pays.
    pub fn keep(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Drawn(drawn) => State::Kept(drawn),
            other => other,
        };
    }

    /// Gives the credits back now, or, when Redis does not answer, as soon as it does. Until then the debit stays open, so
    /// that a stop in between can't lose it.
    pub async fn give_back(&mut self, meter: &Meter, wait_max: Duration) {
        let State::Drawn(drawn) = &self.state else { return };
        let ask = self.give_back_ask(drawn);
        let remaining = match within(wait_max, meter.give_back(&ask)).await {
            Ok(GiveBackOutcome::Returned { remaining, .. }) => Some(remaining),
            Ok(GiveBackOutcome::AlreadyClosed | GiveBackOutcome::BecameUndo) => None,
            Ok(GiveBackOutcome::Deferred) | Err(_) => {
                self.restitutions.add(Restitution::GiveBack(ask));
                None
            }
        };
        self.state = State::GivenBack { remaining };
    }

    fn give_back_ask(&self, drawn: &Drawn) -> GiveBack {
        GiveBack {
            op: new_op(),
            account: self.account,
            debit_op: self.op,
            debit_event: drawn.event,
            debit_not_after: self.not_after,
            idempotency: None,
        }
    }
}

impl Drop for OpenDebit {
    fn drop(&mut self) {
        let restitution = match &self.state {
            State::Asked => Restitution::Undo(Undo {
                op: new_op(),
                account: self.account,
                debit_op: self.op,
                not_after: self.not_after,
                idempotency: None,
            }),
            State::Drawn(drawn) if self.back_when_cut => Restitution::GiveBack(self.give_back_ask(drawn)),
            State::Drawn(_) | State::Kept(_) | State::GivenBack { .. } | State::Closed => return,
        };
        self.restitutions.add(restitution);
    }
}

fn new_op() -> OpId {
    OpId::from_uuid(Uuid::now_v7())
}
