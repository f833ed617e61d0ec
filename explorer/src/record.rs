//! What the book does with a batch of events: `ledger/src/record.rs` and what it calls. All or nothing.

mod changes;
mod decide;
mod settle;

pub use changes::{expire_due, grant, may_hold, reduce, require_install, settle_undos};
pub use settle::prepare_install;

use crate::state::{Batch, Book, Event, Kind, LOTS, Row, RowKind, State, World, total};
use crate::{Guard, Invariant};

/// What came of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Credits that its debits drew.
    Done(u8),
    /// The fence or the cursor has moved on.
    Fenced,
    /// It says what can't be: the shard stands until somebody looks.
    Broken,
}

/// Records a batch.
pub fn record(state: &mut State, world: &World<'_>, batch: &Batch) -> Recorded {
    let guards = world.guards;
    if guards.has(Guard::CommitFence) && !may_hold(&state.book, batch.epoch, batch.certification, batch.incarnation) {
        return Recorded::Fenced;
    }
    if guards.has(Guard::CursorCompare) && state.book.applied != batch.from {
        return Recorded::Fenced;
    }
    let mut recording = Recording { book: state.book, world, delta: [0; LOTS], breaks: None, full: false };
    let first = batch.from.map_or(0, |from| from + 1);
    let mut credits = 0;
    for (sequence, event) in (first..).zip(&batch.events[..usize::from(batch.count)]) {
        if recording.apply(batch.incarnation, sequence, event).is_none() {
            return Recorded::Broken;
        }
        credits += if event.kind == Kind::Debit { total(event.split) } else { 0 };
    }
    let Some(last) = usize::from(batch.count).checked_sub(1).map(|last| batch.events[last]) else {
        return Recorded::Done(0);
    };
    recording.move_lots();
    state.book = recording.book;
    state.book.drained_at = state.clock;
    state.book.applied = Some(first + batch.count - 1);
    state.book.applied_kind = last.kind;
    state.book.applied_op =
        if matches!(last.kind, Kind::Control | Kind::Installed | Kind::Opened) { 0 } else { last.op + 1 };
    state.full |= recording.full;
    if let Some(invariant) = recording.breaks {
        state.breaks(invariant);
    }
    Recorded::Done(credits)
}

/// A transaction in the making.
struct Recording<'a> {
    book: Book,
    world: &'a World<'a>,
    /// What the whole batch does to each lot.
    delta: [i16; LOTS],
    breaks: Option<Invariant>,
    full: bool,
}

impl Recording<'_> {
    /// `insert`, `step`, then what the kind of event does; none where the book refuses it.
    fn apply(&mut self, incarnation: u8, sequence: u8, event: &Event) -> Option<()> {
        let entries = self.book.entries.get_mut(usize::from(incarnation))?;
        if *entries >> sequence & 1 == 1 {
            if self.world.guards.has(Guard::EntriesUnique) {
                return None;
            }
            self.breaks = self.breaks.or(Some(Invariant::RecordedTwice));
        }
        *entries |= 1 << sequence;
        let follows = match event.kind {
            Kind::None => return None,
            Kind::Opened => true,
            Kind::Installed => event.seq == self.book.seq,
            _ => event.seq == self.book.seq + 1,
        };
        if !follows && self.world.guards.has(Guard::SeqFollows) {
            return None;
        }
        if !matches!(event.kind, Kind::Opened | Kind::Installed) {
            self.book.seq = event.seq;
        }
        match event.kind {
            Kind::Installed => self.deliver_by_install(event.version),
            Kind::Debit => self.debit(event),
            Kind::GiveBack | Kind::Settle => self.give_back(event),
            Kind::Undo => self.undo(event),
            Kind::Control => return self.control(event),
            Kind::Opened | Kind::None => {}
        }
        Some(())
    }

    /// `deliver_by_install.sql`: an install at a version includes every change up to it.
    fn deliver_by_install(&mut self, version: u8) {
        self.book
            .rows
            .iter_mut()
            .take(usize::from(version))
            .for_each(|row| row.is_delivered |= row.kind != RowKind::None);
    }

    /// `append` of `change.rs`: the next version and its row.
    fn append(&mut self, row: Row) {
        self.full |= !append(&mut self.book, row);
    }

    /// `move_lots.sql` and `explain_odd_lots`.
    fn move_lots(&mut self) {
        for lot in 0..LOTS {
            let after = i16::from(self.book.remaining[lot]) + self.delta[lot];
            if after < 0 {
                self.breaks = self.breaks.or(Some(Invariant::Overdrawn));
            } else if after > i16::from(self.book.granted[lot]) {
                self.breaks = self.breaks.or(Some(Invariant::GivenBackTwice));
            }
            self.book.remaining[lot] = u8::try_from(after.max(0)).unwrap_or(u8::MAX);
            if self.delta[lot] > 0 && self.book.sweep_asked >> lot & 1 == 0 {
                self.book.swept &= !(1 << lot);
            }
        }
    }
}

/// Raises the control version and appends the row that makes it; false where the model has no room.
fn append(book: &mut Book, row: Row) -> bool {
    let Some(place) = book.rows.get_mut(usize::from(book.version)) else { return false };
    *place = row;
    book.version += 1;
    true
}
