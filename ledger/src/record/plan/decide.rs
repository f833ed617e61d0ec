//! What each kind of event does.

use std::borrow::Cow;

use metering::{AccountId, Body, Change, ControlKind, Credits, Event, IdempotencyMark, Split, lots};

use super::{Delivered, OpenHold, Planner, UndoAsk, UndoRow, unappliable};
use crate::entries::NewEntry;
use crate::record::known::{AccountOp, DrawnDebit, UndoMark};
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
            hold_until,
            idempotency,
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
        self.count_key(*account, *key, event.at, (*credits).into());
        let id = (*account, *op);
        let debit = DrawnDebit { split: Cow::Borrowed(split), period_end: *period_end, key: *key, at: event.at };
        if duplicate {
            self.plan.recorded.duplicates = self.plan.recorded.duplicates.saturating_add(1);
            self.settle(id, &debit, split.clone(), false);
            return Ok(());
        }
        self.known.debits.insert(id, debit.clone());
        if let Some(mark) = self.known.undos.get(&id).copied().filter(|mark| !mark.returned) {
            self.mark_undo(id, UndoMark { open: false, returned: true, ..mark }, None);
            self.settle(id, &debit, lots::beyond(split, mark.kept.unwrap_or_default()), mark.open);
            return Ok(());
        }
        if let Some(hold_until) = hold_until {
            self.plan.holds.insert(id, OpenHold { until: *hold_until, drawn_at: event.at });
        }
        if let Some(under) = idempotency {
            self.plan
                .idempotency
                .insert((*account, under.key), IdempotencyMark { under: *under, op: *op, at: event.at });
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
            kept,
            period_end,
            remaining_after,
            budget_used_after,
            key,
            debited_at,
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
            ..NewEntry::new(*account, if kept.is_some() { EntryKind::Settle } else { EntryKind::GiveBack }, event.at)
        };
        self.enter(event, entry)?;
        self.count_key(*account, *key, *debited_at, i64::from(credits).saturating_neg());
        self.known.given_back.insert((*account, *debit_op));
        self.close((*account, *debit_op), kept.is_none());
        self.count_give_back(returned);
        Ok(())
    }

    /// Drawn and not given back: given back by a change, of a settled hold what is above the price. Given back or confirmed already, or decided
    /// before: nothing to give.
    /// Not drawn: remembered until it can't come any more.
    pub(super) fn undo(&mut self, event: &'a Event) -> Result<(), LedgerError> {
        let Body::Undo { account, seq, op, debit_op, not_after, kept } = &event.body else { return Ok(()) };
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
        let is_known = self.known.undos.contains_key(&key);
        if kept.is_none() && !is_known {
            self.note_unconfirmed(event, key);
        }
        // Also where there is nothing to give, or all was decided before: live state has freed its Idempotency-Key.
        self.close(key, kept.is_none());
        if is_known {
            self.settle_nothing(key, period_end);
            return Ok(());
        }
        let asked = Some(UndoAsk { op: *op, not_after: *not_after, at: event.at });
        // Of what ends a debit the first holds, also where an incarnation began without its mark.
        let ended = self.known.given_back.contains(&key) || self.known.confirmed.contains(&key);
        let mark = |open, returned| UndoMark { open, returned, kept: *kept };
        match self.known.debits.get(&key).cloned() {
            Some(debit) if !ended => {
                self.mark_undo(key, mark(false, true), asked);
                self.settle(key, &debit, lots::beyond(&debit.split, kept.unwrap_or_default()), true);
            }
            Some(debit) => {
                self.mark_undo(key, mark(false, false), asked);
                self.settle_nothing(key, debit.period_end);
            }
            None => self.mark_undo(key, mark(true, false), asked),
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
            Change::UndoSettled { debit_op, split, period_end, counted, key, debited_at } => {
                let credits = lots::total(&split).unwrap_or(Credits::MAX); // a debit's, whose sum was counted
                if let Some(followed) = self.plan.accounts.get_mut(account) {
                    followed.budget.lower(credits, period_end);
                }
                self.count_key(*account, key, debited_at, i64::from(credits).saturating_neg());
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

    fn mark_undo(&mut self, debit: AccountOp, mark: UndoMark, asked: Option<UndoAsk>) {
        self.known.undos.insert(debit, mark);
        let row = self.plan.undos.entry(debit).or_insert(UndoRow { mark, asked });
        row.mark = mark;
    }

    fn count_give_back(&mut self, returned: &Split) {
        let recorded = &mut self.plan.recorded;
        let credits = lots::total(returned).unwrap_or(Credits::MAX); // part of a debit, whose sum was counted
        recorded.give_backs = recorded.give_backs.saturating_add(1);
        recorded.credits_returned = recorded.credits_returned.saturating_add(credits.get());
    }
}
