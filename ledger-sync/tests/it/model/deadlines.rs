//! Debits with a deadline: confirmed by it, moved on, or given back.

use metering::live::{Confirm, ConfirmOutcome, Debit, Progress};

use super::{Account, Model};

/// What stays drawn of a debit that was confirmed: all of it.
const ALL: u64 = u64::MAX;

impl Account {
    /// The first debit of an op waits, unless somebody asked to undo it before.
    pub(super) fn open(&mut self, ask: &Debit) {
        let first = !self.holds.contains_key(&ask.op) && !self.ended.contains_key(&ask.op);
        if let Some(until) = ask.hold_until.filter(|_| first) {
            self.open.insert(ask.op, until);
        }
    }
}

impl Model {
    pub fn confirm(&mut self, asks: &[Confirm]) -> Vec<ConfirmOutcome> {
        asks.iter().map(|ask| self.confirm_one(ask)).collect()
    }

    /// Moves nothing and counts no event of the account, whatever state that is in.
    fn confirm_one(&mut self, ask: &Confirm) -> ConfirmOutcome {
        if self.accounts[&ask.account].closed.contains_key(&ask.debit_op) {
            return ConfirmOutcome::AlreadyClosed;
        }
        let event = self.append();
        let account = self.accounts.get_mut(&ask.account).unwrap();
        match ask.progress {
            Progress::GoesOn { hold_until } => {
                if let Some(until) = account.open.get_mut(&ask.debit_op) {
                    *until = hold_until.max(*until);
                }
                ConfirmOutcome::Extended
            }
            Progress::Over { outcome, .. } => {
                account.closed.insert(ask.debit_op, Some(event.sequence));
                if account.open.remove(&ask.debit_op).is_some() {
                    account.ended.insert(ask.debit_op, ALL);
                    account.outcomes.insert(ask.debit_op, Some(outcome));
                }
                ConfirmOutcome::Confirmed
            }
        }
    }
}
