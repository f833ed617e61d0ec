//! A debit whose request is not over. It can't be forgotten: dropped while open, it hands itself to the restitutions.

use std::time::{Duration, Instant};

use metering::journal::DebitEnded;
use metering::live::{Debit, Drawn, GiveBack, GiveBackOutcome, Meter, Settle, SettleOutcome, Undo};
use metering::{AccountId, Credits, Ended, Idempotency, OpId, RequestOutcome, TimeMs};
use uuid::Uuid;

use crate::confirmations::Deadline;
use crate::journal::{Journal, Served};
use crate::meter_call::within;
use crate::restitution::{Answered, Restitution, Restitutions};

/// From the moment it is asked for until the request has ended.
pub struct OpenDebit {
    op: OpId,
    account: AccountId,
    credits: Credits,
    not_after: TimeMs,
    under: Option<Idempotency>,
    /// What a hold comes to when nobody says what it shall; `None` for a debit of a fixed price.
    unreported: Option<Credits>,
    /// Where the route has it confirmed and nobody has said yet how the request ended.
    deadline: Option<Deadline>,
    state: State,
    /// Whether credits go back when the process stops in the middle of the request.
    back_when_cut: bool,
    restitutions: Restitutions,
    journal: Journal,
    served: Served,
    since: Instant,
}

enum State {
    /// Asked, no answer yet: it may have happened.
    Asked,
    Drawn(Drawn),
    /// A hold came to its price.
    Settled {
        drawn: Drawn,
        kept: Credits,
        remaining: Option<Credits>,
    },
    /// The caller pays; nothing is left to do.
    Kept(Drawn),
    /// The credits are back, or on their way.
    GivenBack {
        drawn: Drawn,
        remaining: Option<Credits>,
    },
    /// It did not happen, or its undo is on its way.
    Closed,
}

/// How a debit stands, for the log line and the answer's headers.
pub enum Standing<'a> {
    Drawn(&'a Drawn),
    /// Set aside; the price is not known yet.
    Held(&'a Drawn),
    Settled {
        drawn: &'a Drawn,
        kept: Credits,
        remaining: Option<Credits>,
    },
    GivenBack {
        remaining: Option<Credits>,
    },
    Nothing,
}

/// What became of a hold that was to be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Settled, now or as soon as Redis answers.
    Done,
    /// Its time had passed: the owner has released it before.
    TooLate,
}

impl OpenDebit {
    /// `unreported`: makes it a hold.
    pub fn asked(ask: &Debit, unreported: Option<Credits>, restitutions: Restitutions, journal: Journal) -> Self {
        Self {
            op: ask.op,
            account: ask.account,
            credits: ask.credits,
            not_after: ask.not_after,
            under: ask.idempotency,
            unreported,
            deadline: None,
            state: State::Asked,
            back_when_cut: true,
            restitutions,
            journal,
            served: Served::default(),
            since: Instant::now(),
        }
    }

    pub fn asked_since(&self) -> Instant {
        self.since
    }

    pub fn drawn(&mut self, drawn: Drawn) {
        self.state = State::Drawn(drawn);
    }

    /// It was drawn until a deadline, and must be confirmed by then.
    pub fn await_confirmation(&mut self, deadline: Deadline) {
        self.deadline = Some(deadline);
    }

    pub fn has_deadline(&self) -> bool {
        self.deadline.is_some()
    }

    /// The request is over, and this is how. Says nothing of a debit that was given back.
    pub fn confirm(&mut self, outcome: RequestOutcome) {
        if let Some(deadline) = self.deadline.take().filter(|_| self.is_paid()) {
            deadline.over(outcome);
        }
    }

    /// The debit was refused: there is nothing to give back.
    pub fn refused(mut self) {
        self.state = State::Closed;
    }

    /// What was drawn, or is held.
    pub fn credits(&self) -> Credits {
        self.credits
    }

    /// What it comes to when nobody says what it shall, if it is a hold.
    pub fn unreported(&self) -> Option<Credits> {
        self.unreported
    }

    pub fn standing(&self) -> Standing<'_> {
        match &self.state {
            State::Drawn(drawn) if self.unreported.is_some() => Standing::Held(drawn),
            State::Drawn(drawn) | State::Kept(drawn) => Standing::Drawn(drawn),
            State::Settled { drawn, kept, remaining } => {
                Standing::Settled { drawn, kept: *kept, remaining: *remaining }
            }
            State::GivenBack { remaining, .. } => Standing::GivenBack { remaining: *remaining },
            State::Asked | State::Closed => Standing::Nothing,
        }
    }

    /// Whether its credits may still go back.
    pub fn is_drawn(&self) -> bool {
        matches!(self.state, State::Drawn(_))
    }

    /// Whether the caller pays for what the upstream got.
    pub fn is_paid(&self) -> bool {
        matches!(self.state, State::Drawn(_) | State::Settled { .. } | State::Kept(_))
    }

    /// The upstream has the request: from here on the route says what a stop of the process means.
    pub fn upstream_reached(&mut self, back_when_cut: bool) {
        self.back_when_cut = back_when_cut;
    }

    /// What the caller got, for the journal.
    pub fn served(&mut self, served: Served) {
        self.served = served;
    }

    /// The request is over and the caller pays.
    pub fn keep(&mut self) {
        if !self.is_paid() {
            return;
        }
        self.say_answered();
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Drawn(drawn) => State::Kept(drawn),
            other => other,
        };
    }

    /// Settles a hold now, or, when Redis does not answer, as soon as it does. Until then it stays open, as in `give_back`.
    pub async fn settle(&mut self, price: Credits, meter: &Meter, wait_max: Duration) -> Settlement {
        let State::Drawn(drawn) = &self.state else { return Settlement::Done };
        let ask = self.settle_ask(drawn, price);
        config::failpoint("settle.before");
        let (remaining, settlement) = match within(wait_max, meter.settle(&ask)).await {
            Ok(SettleOutcome::Settled { remaining, .. }) => (Some(remaining), Settlement::Done),
            Ok(SettleOutcome::AlreadyClosed) => (None, Settlement::TooLate),
            Ok(SettleOutcome::BecameUndo) => (None, Settlement::Done),
            Ok(SettleOutcome::Deferred) | Err(_) => {
                self.restitutions.add(Restitution::Settle(ask));
                (None, Settlement::Done)
            }
        };
        if let State::Drawn(drawn) = std::mem::replace(&mut self.state, State::Closed) {
            config::failpoint("settle.after");
            let kept = price.min(self.credits);
            self.state = match settlement {
                Settlement::Done => State::Settled { drawn, kept, remaining },
                Settlement::TooLate => State::GivenBack { drawn, remaining },
            };
        }
        settlement
    }

    /// Gives the credits back now, or, when Redis does not answer, as soon as it does. Until then the debit stays open, so
    /// that a stop in between can't lose it.
    pub async fn give_back(&mut self, meter: &Meter, wait_max: Duration) {
        let State::Drawn(drawn) = &self.state else { return };
        let ask = self.give_back_ask(drawn);
        config::failpoint("give_back.before");
        let remaining = match within(wait_max, meter.give_back(&ask)).await {
            Ok(GiveBackOutcome::Returned { remaining, .. }) => Some(remaining),
            Ok(GiveBackOutcome::AlreadyClosed | GiveBackOutcome::BecameUndo) => None,
            Ok(GiveBackOutcome::Deferred) | Err(_) => {
                self.restitutions.add(Restitution::GiveBack(ask));
                None
            }
        };
        if let State::Drawn(drawn) = std::mem::replace(&mut self.state, State::Closed) {
            config::failpoint("give_back.after");
            self.state = State::GivenBack { drawn, remaining };
        }
        self.deadline = None;
    }

    fn give_back_ask(&self, drawn: &Drawn) -> GiveBack {
        GiveBack {
            op: new_op(),
            account: self.account,
            debit_op: self.op,
            debit_event: drawn.event,
            debit_not_after: self.not_after,
            idempotency: self.under.map(|under| under.key),
        }
    }

    fn settle_ask(&self, drawn: &Drawn, price: Credits) -> Settle {
        Settle {
            op: new_op(),
            account: self.account,
            debit_op: self.op,
            debit_event: drawn.event,
            debit_not_after: self.not_after,
            price,
        }
    }

    /// From here on a repeat is not told "in flight" any more; said once.
    fn say_answered(&mut self) {
        let Some(Idempotency { key, in_use_until, .. }) = self.under.take() else { return };
        let answered = Answered { account: self.account, key, debit_op: self.op, in_use_until };
        self.restitutions.add(Restitution::Answered(answered));
    }

    /// Writes down what came of it.
    fn note_end(&self) {
        let (drawn, kept) = match &self.state {
            State::Drawn(drawn) if self.back_when_cut => (drawn, Credits::ZERO),
            State::Drawn(drawn) => (drawn, self.unreported.unwrap_or(self.credits)),
            State::Settled { drawn, kept, .. } => (drawn, *kept),
            State::Kept(drawn) => (drawn, self.credits),
            State::GivenBack { drawn, .. } => (drawn, Credits::ZERO),
            State::Asked | State::Closed => return,
        };
        self.journal.ended(|| {
            let duration_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
            DebitEnded {
                op: self.op,
                account: self.account,
                event: drawn.event,
                kept,
                credits: self.credits,
                hold: self.unreported.is_some(),
                upstream_status: self.served.upstream_status,
                answer_bytes: self.served.answer_bytes,
                duration_ms,
                at: drawn.at.plus_ms(duration_ms),
            }
        });
    }
}

impl Drop for OpenDebit {
    fn drop(&mut self) {
        self.note_end();
        let restitution = match &self.state {
            State::Asked => Restitution::Undo(Undo {
                op: new_op(),
                account: self.account,
                debit_op: self.op,
                not_after: self.not_after,
                idempotency: self.under.map(|under| under.key),
            }),
            State::Drawn(drawn) if self.back_when_cut => Restitution::GiveBack(self.give_back_ask(drawn)),
            // Cut off where the route keeps what was drawn: a hold comes to what it must, and a repeat finds the key used.
            State::Drawn(drawn) => {
                if let Some(unreported) = self.unreported {
                    self.restitutions.add(Restitution::Settle(self.settle_ask(drawn, unreported)));
                }
                if let Some(deadline) = self.deadline.take() {
                    let outcome = cut_off(&deadline);
                    deadline.over(outcome);
                }
                return self.say_answered();
            }
            State::Settled { .. } => return self.say_answered(),
            State::Kept(_) | State::GivenBack { .. } | State::Closed => return,
        };
        self.restitutions.add(restitution);
    }
}

/// What went to the caller by then, nobody has counted.
fn cut_off(deadline: &Deadline) -> RequestOutcome {
    let duration_ms = u64::try_from(deadline.age().as_millis()).unwrap_or(u64::MAX);
    RequestOutcome { upstream_status: None, answer_bytes: 0, duration_ms, ended: Ended::Cut }
}

fn new_op() -> OpId {
    OpId::from_uuid(Uuid::now_v7())
}
