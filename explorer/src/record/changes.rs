//! Changes of the book that come from elsewhere than the stream: operators, the sweep, undos that are overdue.

use super::append;
use crate::Guard;
use crate::scripts::lives;
use crate::state::{Book, LOTS, Owner, Row, RowKind, State, World};

/// `hold` of `fence.rs`: whether a commit under this fence still counts.
pub fn may_hold(book: &Book, epoch: u8, certification: u8, incarnation: u8) -> bool {
    (book.epoch, book.certification, book.incarnation) == (epoch, certification, incarnation)
}

fn holds(state: &State, world: &World<'_>, owner: &Owner) -> bool {
    !world.guards.has(Guard::CommitFence) || may_hold(&state.book, owner.epoch, owner.certification, owner.incarnation)
}

/// Somebody pays: the second lot.
pub fn grant(state: &mut State, world: &World<'_>) {
    let credits = world.scope.credits;
    let book = &mut state.book;
    book.lots |= 2;
    (book.granted[1], book.remaining[1]) = (credits, credits);
    state.full |= !append(book, Row { kind: RowKind::Grant, of: 1, split: [0, credits], ..Row::default() });
}

/// An operator takes credits out of the first lot.
pub fn reduce(state: &mut State) {
    state.full |= !append(&mut state.book, Row { kind: RowKind::Reduce, of: 0, split: [1, 0], ..Row::default() });
}

/// A change that live state can't apply by itself.
pub fn require_install(state: &mut State) {
    state.full |= !append(&mut state.book, Row { kind: RowKind::Capped, ..Row::default() });
}

/// `expire_due`: empty lots are marked, for others a row is appended. None where the fence has moved on, else whether it found any.
pub fn expire_due(state: &mut State, world: &World<'_>, owner: &Owner) -> Option<bool> {
    if !holds(state, world, owner) {
        return None;
    }
    let at = state.clock;
    let book = &mut state.book;
    let due = |book: &Book, lot: usize| {
        book.has(lot) && (book.swept | book.sweep_asked) >> lot & 1 == 0 && !lives(world, lot, at)
    };
    let Some(lot) = (0..LOTS).find(|&lot| due(book, lot)) else { return Some(false) };
    if book.remaining[lot] == 0 {
        book.swept |= 1 << lot;
    } else {
        let of = crate::scripts::index(lot);
        book.sweep_asked |= 1 << lot;
        state.full |= !append(book, Row { kind: RowKind::Expire, of, ..Row::default() });
    }
    Some(true)
}

/// `settle_undos`: those whose debit would be in the book by now. None where the fence has moved on, else whether it found any.
pub fn settle_undos(state: &mut State, world: &World<'_>, owner: &Owner) -> Option<bool> {
    if !holds(state, world, owner) {
        return None;
    }
    let mut found = false;
    for op in 0..state.book.undos.len() {
        let undo = state.book.undos[op];
        if undo.is_open && undo.not_after < owner.drained_time {
            state.book.undos[op].is_open = false;
            let of = crate::scripts::index(op);
            let row = Row { kind: RowKind::UndoSettled, of, is_counted: true, ..Row::default() };
            state.full |= !append(&mut state.book, row);
            found = true;
        }
    }
    Some(found)
}
