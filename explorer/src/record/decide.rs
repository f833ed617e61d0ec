//! What each kind of event does: `ledger/src/record/plan/decide.rs`.

use super::Recording;
use crate::Guard;
use crate::scripts::{beyond, period_of};
use crate::state::{Debit, Event, LOTS, Row, RowKind, Split, Undo, total};

impl Recording<'_> {
    /// A debit draws, whatever else is true of it. A second one of its op, and one that somebody asked to undo, is then given
    /// back by a change.
    pub(super) fn debit(&mut self, event: &Event) {
        let op = usize::from(event.op);
        self.takes(event.split);
        self.draw_budget(total(event.split), event.period);
        let known = self.book.debits[op];
        self.book.debits[op].drawn += total(event.split);
        if known.is_known {
            if self.world.guards.has(Guard::DuplicateGivenBack) {
                self.settle(event.op, event.split, event.period, false);
            }
            return;
        }
        let drawn = self.book.debits[op].drawn;
        let at = event.at;
        self.book.debits[op] = Debit { is_known: true, split: event.split, period: event.period, at, drawn, ..known };
        let undo = self.book.undos[op];
        if undo.is_asked && !undo.is_returned {
            self.book.undos[op] = Undo { is_open: false, is_returned: true, ..undo };
            self.settle(event.op, beyond(event.split, undo.kept.saturating_sub(1)), event.period, undo.is_open);
            return;
        }
        self.book.debits[op].hold_until = event.until;
    }

    pub(super) fn give_back(&mut self, event: &Event) {
        let op = usize::from(event.op);
        self.lower_budget(total(event.split) + event.lapsed, event.period);
        self.returns(event.split);
        let debit = &mut self.book.debits[op];
        debit.returned += total(event.split) + event.lapsed;
        debit.is_closed = true;
        debit.hold_until = 0;
    }

    /// Drawn and not given back: given back by a change, of a settled hold what is above the price. Given back already, or
    /// decided before: nothing to give. Not drawn: remembered until it can't come any more.
    pub(super) fn undo(&mut self, event: &Event) {
        let op = usize::from(event.op);
        if self.book.undos[op].is_asked {
            self.settle(event.op, [0; LOTS], 0, true);
            return;
        }
        let debit = &mut self.book.debits[op];
        debit.hold_until = 0;
        let debit = *debit;
        let asked = Undo { is_asked: true, kept: event.kept, not_after: event.until, ..Undo::default() };
        self.book.undos[op] = if !debit.is_known {
            Undo { is_open: true, ..asked }
        } else if debit.is_closed {
            self.settle(event.op, [0; LOTS], 0, true);
            asked
        } else {
            self.settle(event.op, beyond(debit.split, event.kept.saturating_sub(1)), debit.period, true);
            Undo { is_returned: true, ..asked }
        };
    }

    /// A change reached live state. Where it moved credits, the book follows what the event says, unless an install has settled
    /// the row before. None where the row is another, or was delivered before.
    pub(super) fn control(&mut self, event: &Event) -> Option<()> {
        let place = usize::from(event.version).checked_sub(1)?;
        let row = *self.book.rows.get(place).filter(|row| row.kind != RowKind::None && !row.is_delivered)?;
        self.book.rows[place].is_delivered = true;
        if row.is_settled {
            return Some(());
        }
        match row.kind {
            RowKind::Reduce => self.takes(event.split),
            RowKind::Expire => {
                self.book.swept |= 1 << row.of;
                self.takes(event.split);
            }
            RowKind::UndoSettled if total(row.split) > 0 => {
                self.lower_budget(total(row.split), row.period);
                self.returns(event.split);
                self.book.debits[usize::from(row.of)].returned += total(event.split) + event.lapsed;
            }
            _ => {}
        }
        Some(())
    }

    /// Tells live state what was decided about an undone debit.
    fn settle(&mut self, op: u8, split: Split, period: u8, is_counted: bool) {
        self.append(Row { kind: RowKind::UndoSettled, of: op, split, period, is_counted, ..Row::default() });
    }

    fn takes(&mut self, split: Split) {
        for (delta, credits) in self.delta.iter_mut().zip(split) {
            *delta -= i16::from(credits);
        }
    }

    fn returns(&mut self, split: Split) {
        for (delta, credits) in self.delta.iter_mut().zip(split) {
            *delta += i16::from(credits);
        }
    }

    /// `BudgetCount::draw`.
    fn draw_budget(&mut self, credits: u8, period: u8) {
        debug_assert!(period <= period_of(self.world, u8::MAX), "a period of no instant");
        if period > self.book.period {
            (self.book.used, self.book.period) = (credits, period);
        } else if period == self.book.period {
            self.book.used += credits;
        }
    }

    /// `BudgetCount::lower`.
    fn lower_budget(&mut self, credits: u8, period: u8) {
        if period == self.book.period {
            self.book.used = self.book.used.saturating_sub(credits);
        }
    }
}
