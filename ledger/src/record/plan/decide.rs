//! What each kind of event does.

use std::borrow::Cow;

use metering::{AccountId, Body, Change, ControlKind, Credits, Event, OpId, Split, lots};

use super::{Delivered, Planner, UndoAsk, UndoRow, unappliable};
use crate::entries::NewEntry;
use crate::record::known::{DrawnDebit, UndoMark};
use crate::{EntryKind, LedgerError};

impl<'a> Planner<'a> {
    /// A debit draws, whatever else is true of it. A second one of its op, and one that somebody asked to undo, is then
    /// given back by a change.
    pub(super) fn debit(&mut self, event: &'a Event) -> Result<(), LedgerError> {
        let Body::Debit {
            account,
            seq,
            op,
            credits,
            split,
            period_end,
            remaining_after,
            budget_used_after,
            key,
            route,
        } = &event.body
        else {
            return Ok(());
        };
        let drawn = self.step(event, *account, *seq)?.budget.draw(*credits, *period_end);
        drawn.ok_or_else(|| unappliable(event, "more credits than can be counted"))?;
        let duplicate = self.known.debits.contains_key(&(*account, *op));
        let entry = NewEntry {
            sequence: Some(event.id.sequence),
            seq: Some(*seq),
            op: Some(*op),
            split: split.clone(),
            key: *key,
            route: Some(route.clone()),
            remaining_after: Some(*remaining_after),
            budget_used_after: Some(*budget_used_after),
            budget_period_end: Some(*period_end),
            ..NewEntry::new(*account, if duplicate { EntryKind::DebitDuplicate } else { EntryKind::Debit }, event.at)
        };
        self.enter(event, entry)?;
        let recorded = &mut self.plan.recorded;
        recorded.debits = recorded.debits.saturating_add(1);
        recorded.credits_debited = recorded.credits_debited.saturating_add(credits.get());
        if duplicate {
            recorded.duplicates = recorded.duplicates.saturating_add(1);
            self.settle(*account, *op, split.clone(), *period_end, false);
            return Ok(());
        }
        let debit = DrawnDebit { split: Cow::Borrowed(split), period_end: *period_end };
        self.known.debits.insert((*account, *op), debit);
        if let Some(mark) = self.known.undos.get(&(*account, *op)).copied().filter(|mark| !mark.returned) {
            self.mark_undo(*account, *op, UndoMark { open: false, returned: true }, None);
            self.settle(*account, *op, split.clone(), *period_end, mark.open);
        }
        Ok(())
    }

    pub(super) fn give_back(&mut self, event: &'a Event) -> Result<(), LedgerError> {
        let Body::GiveBack {
            account,
            seq,
            op,
            debit_op,
            returned,
            lapsed,
            period_end,
            remaining_after,
            budget_used_after,
        } = &event.body
        else {
            return Ok(());
        };
        let lapsed = lots::total(lapsed).unwrap_or(Credits::MAX); // part of a debit, whose sum was counted
        let credits = lots::total(returned).and_then(|returned| returned.checked_add(lapsed)).unwrap_or(Credits::MAX);
        self.step(event, *account, *seq)?.budget.lower(credits, *period_end);
        let entry = NewEntry {
            sequence: Some(event.id.sequence),
            seq: Some(*seq),
            op: Some(*op),
            debit_op: Some(*debit_op),
            split: returned.clone(),
            lapsed,
            remaining_after: Some(*remaining_after),
            budget_used_after: Some(*budget_used_after),
            budget_period_end: Some(*period_end),
            ..NewEntry::new(*account, EntryKind::GiveBack, event.at)
        };
        self.enter(event, entry)?;
        self.known.given_back.insert((*account, *debit_op));
        self.count_give_back(returned);
        Ok(())
    }

    /// Drawn and not given back: given back by a change. Given back already, or decided before: nothing to give.
    /// Not drawn: remembered until it can't come any more.
    pub(super) fn undo(&mut self, event: &'a Event) -> Result<(), LedgerError> {
        let Body::Undo { account, seq, op, debit_op, not_after } = &event.body else { return Ok(()) };
        let period_end = self.step(event, *account, *seq)?.budget.period_end;
        let entry = NewEntry {
            sequence: Some(event.id.sequence),
            seq: Some(*seq),
            op: Some(*op),
            debit_op: Some(*debit_op),
            ..NewEntry::new(*account, EntryKind::Undo, event.at)
        };
        self.enter(event, entry)?;
        let key = (*account, *debit_op);
        if self.known.undos.contains_key(&key) {
            self.settle(*account, *debit_op, Split::new(), period_end, true);
            return Ok(());
        }
        let asked = Some(UndoAsk { op: *op, not_after: *not_after, at: event.at });
        let given_back = self.known.given_back.contains(&key);
        match self.known.debits.get(&key).map(|debit| (debit.split.to_vec(), debit.period_end)) {
            Some((split, period_end)) if !given_back => {
                self.mark_undo(*account, *debit_op, UndoMark { open: false, returned: true }, asked);
                self.settle(*account, *debit_op, split, period_end, true);
            }
            Some((_, period_end)) => {
                self.mark_undo(*account, *debit_op, UndoMark { open: false, returned: false }, asked);
                self.settle(*account, *debit_op, Split::new(), period_end, true);
            }
            None => self.mark_undo(*account, *debit_op, UndoMark { open: true, returned: false }, asked),
        }
        Ok(())
    }

    /// A change reached live state. Where it moved credits, the book follows what the event says, unless an install has
    /// settled the row in the book before.
    pub(super) fn control(&mut self, event: &'a Event) -> Result<(), LedgerError> {
        let Body::Control { account, seq, row, version, change, returned, lapsed, taken } = &event.body else {
            return Ok(());
        };
        let change = self.known_change(event, *account, *row, *version, *change)?;
        self.step(event, *account, *seq)?;
        self.plan.delivered.push(Delivered { row: *row, sequence: event.id.sequence, seq: *seq, at: event.at });
        let Some(change) = change else { return Ok(()) };
        let entry = |kind, split: &Split| NewEntry {
            sequence: Some(event.id.sequence),
            seq: Some(*seq),
            outbox_row: Some(*row),
            split: split.clone(),
            ..NewEntry::new(*account, kind, event.at)
        };
        match change {
            Change::LotReduced { .. } => self.enter(event, entry(EntryKind::ClawBack, taken)),
            Change::LotExpired { lot } => {
                self.plan.swept.push((lot, event.at));
                self.enter(event, entry(EntryKind::Expire, taken))
            }
            Change::UndoSettled { split, .. } if split.is_empty() => Ok(()),
            Change::UndoSettled { debit_op, split, period_end, counted } => {
                let credits = lots::total(&split).unwrap_or(Credits::MAX); // a debit's, whose sum was counted
                if let Some(followed) = self.plan.accounts.get_mut(account) {
                    followed.budget.lower(credits, period_end);
                }
                let kind = if counted { EntryKind::GiveBack } else { EntryKind::DuplicateReturn };
                self.count_give_back(returned);
                let lapsed = lots::total(lapsed).unwrap_or(Credits::MAX); // part of that debit
                let (debit_op, period_end) = (Some(debit_op), Some(period_end));
                self.enter(event, NewEntry { debit_op, lapsed, budget_period_end: period_end, ..entry(kind, returned) })
            }
            _ => Ok(()),
        }
    }

    /// The change that the event says was applied; `None` where its credits are in the book already, or it moves none.
    fn known_change(
        &mut self,
        event: &Event,
        account: AccountId,
        row: u64,
        version: u64,
        kind: ControlKind,
    ) -> Result<Option<Change>, LedgerError> {
        let known =
            self.known.rows.get_mut(&row).ok_or_else(|| unappliable(event, format!("there is no outbox row {row}")))?;
        if (known.account, known.version, known.change.kind()) != (account, version, kind) {
            return Err(unappliable(event, format!("outbox row {row} is another change")));
        }
        if std::mem::replace(&mut known.delivered, true) {
            return Err(unappliable(event, format!("outbox row {row} was delivered before")));
        }
        Ok((kind.moves_credits() && !known.settled).then(|| known.change.clone()))
    }

    fn mark_undo(&mut self, account: AccountId, debit_op: OpId, mark: UndoMark, asked: Option<UndoAsk>) {
        self.known.undos.insert((account, debit_op), mark);
        let row = self.plan.undos.entry((account, debit_op)).or_insert(UndoRow { mark, asked });
        row.mark = mark;
    }

    fn count_give_back(&mut self, returned: &Split) {
        let recorded = &mut self.plan.recorded;
        let credits = lots::total(returned).unwrap_or(Credits::MAX); // part of a debit, whose sum was counted
        recorded.give_backs = recorded.give_backs.saturating_add(1);
        recorded.credits_returned = recorded.credits_returned.saturating_add(credits.get());
    }
}
