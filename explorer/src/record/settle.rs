//! `prepare_install`: changes of credits on their way are applied to the book itself, once; then the account's picture is taken.

use super::may_hold;
use crate::Guard;
use crate::scripts::lives;
use crate::state::{Book, LOTS, OPS, Owner, Picture, RowKind, State, World, total};

/// The account as the book has it; none where the fence has moved on.
pub fn prepare_install(state: &mut State, world: &World<'_>, owner: &Owner) -> Option<Picture> {
    let holds = may_hold(&state.book, owner.epoch, owner.certification, owner.incarnation);
    if world.guards.has(Guard::CommitFence) && !holds {
        return None;
    }
    let at = state.clock;
    let book = &mut state.book;
    for place in 0..book.rows.len() {
        let row = book.rows[place];
        let moves = matches!(row.kind, RowKind::Reduce | RowKind::Expire | RowKind::UndoSettled);
        if moves && !row.is_delivered && !row.is_settled {
            apply(book, world, place, at);
            book.rows[place].is_settled = true;
        }
    }
    let is_shown =
        |lot: usize| book.has(lot) && book.swept >> lot & 1 == 0 && (book.remaining[lot] > 0 || lives(world, lot, at));
    let mut picture =
        Picture { seq: book.seq, version: book.version, used: book.used, period: book.period, ..Picture::default() };
    for lot in (0..LOTS).filter(|&lot| is_shown(lot)) {
        picture.lots |= 1 << lot;
        picture.left[lot] = book.remaining[lot];
    }
    for op in (0..OPS).filter(|&op| book.undos[op].is_open) {
        picture.undos |= 1 << op;
    }
    Some(picture)
}

/// `Settling::apply`: as many as are there, returns only to lots that live.
fn apply(book: &mut Book, world: &World<'_>, place: usize, at: u8) {
    let row = book.rows[place];
    let lot = usize::from(row.of).min(LOTS - 1);
    match row.kind {
        RowKind::Reduce => book.remaining[lot] = book.remaining[lot].saturating_sub(row.split[lot]),
        RowKind::Expire => {
            book.remaining[lot] = 0;
            book.swept |= 1 << lot;
        }
        RowKind::UndoSettled => {
            if book.period == row.period {
                book.used = book.used.saturating_sub(total(row.split));
            }
            for lot in 0..LOTS {
                if book.swept >> lot & 1 == 0 && lives(world, lot, at) {
                    book.remaining[lot] += row.split[lot];
                }
            }
            book.debits[usize::from(row.of)].returned += total(row.split);
        }
        RowKind::None | RowKind::Grant | RowKind::Capped => {}
    }
}
