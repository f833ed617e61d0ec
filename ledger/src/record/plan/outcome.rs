//! Debits with a deadline: confirmed, moved on, or given back because nobody said how their request ended.
//!
//! A confirmation is good for a debit that the book holds open, whichever incarnation drew it. One that comes after a give-back, or whose
//! debit was lost with the tail of Redis, changes nothing.

use metering::{Credits, Event, RequestOutcome, TimeMs};

use super::{NewOutcome, OpenHold, Planner};
use crate::record::known::AccountOp;

impl Planner<'_> {
    pub(super) fn confirm(&mut self, event: &Event, debit: AccountOp, credits: Credits, outcome: RequestOutcome) {
        let was_open = self.end_hold(debit).is_some();
        let recorded = &mut self.plan.recorded;
        recorded.credits_confirmed = recorded.credits_confirmed.saturating_add(credits.get());
        if !was_open {
            recorded.confirmed_in_vain = recorded.confirmed_in_vain.saturating_add(1);
            return;
        }
        recorded.confirmed = recorded.confirmed.saturating_add(1);
        self.known.confirmed.insert(debit);
        self.plan.outcomes.insert(debit, NewOutcome { outcome: Some(outcome), at: event.at });
    }

    /// Never to an earlier instant: words about one debit may overtake each other on their way to Redis.
    pub(super) fn extend(&mut self, debit: AccountOp, hold_until: TimeMs) {
        if let Some(OpenHold { until, .. }) = self.plan.holds.get_mut(&debit) {
            *until = hold_until.max(*until);
        } else if let Some(until) = self.known.holds.get_mut(&debit) {
            *until = hold_until.max(*until);
            self.plan.extended.insert(debit, *until);
        }
    }

    /// Somebody asks to undo a debit. After its deadline nobody will say any more how its request ended.
    pub(super) fn note_unconfirmed(&mut self, event: &Event, debit: AccountOp) {
        let until =
            self.plan.holds.get(&debit).map(|hold| hold.until).or_else(|| self.known.holds.get(&debit).copied());
        if until.is_some_and(|until| until <= event.at) {
            let recorded = &mut self.plan.recorded;
            recorded.unconfirmed = recorded.unconfirmed.saturating_add(1);
            self.plan.outcomes.insert(debit, NewOutcome { outcome: None, at: event.at });
        }
    }

    /// A debit waits for nothing any more; answers until when it did.
    pub(super) fn end_hold(&mut self, debit: AccountOp) -> Option<TimeMs> {
        if let Some(hold) = self.plan.holds.remove(&debit) {
            return Some(hold.until); // its row is never written
        }
        self.plan.extended.remove(&debit);
        self.plan.closed.push(debit);
        self.known.holds.remove(&debit)
    }
}
