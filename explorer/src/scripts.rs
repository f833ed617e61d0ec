//! What the Lua scripts do, each by the name of its file in `metering/src/live/scripts`.

mod closing;
mod control;
mod debit;
mod fence;
mod install;

pub use closing::{Answer, give_back, release, settle, undo};
pub use control::{Outcome, control};
pub use debit::{Debited, debit, index};
pub use fence::{Certified, Mode, certify, drained, enter, now, open, seal};
pub use install::{Installed, freeze, install};

use crate::Guard;
use crate::state::{EVENTS, Event, Kind, LOTS, Split, State, World};

/// Through which door of `meta` a script comes in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Open,
    Owner,
}

/// `append` of `prelude.lua`: the next event of the incarnation. Leaves the highest time, as `leave` does.
fn append(state: &mut State, world: &World<'_>, event: Event) {
    let at = now(state, world);
    let meta = &mut state.redis.image.meta;
    if usize::from(meta.sequence) + 1 >= EVENTS {
        state.full = true;
        return;
    }
    meta.sequence += 1;
    state.redis.image.events[usize::from(meta.sequence)] = Event { at, ..event };
    leave(state, world);
}

/// `leave` of `prelude.lua`.
fn leave(state: &mut State, world: &World<'_>) {
    let at = now(state, world);
    state.redis.image.meta.highest = at;
    state.seen = state.seen.max(at);
}

/// Whether a lot can be drawn at an instant: half-open.
pub const fn lives(world: &World<'_>, lot: usize, at: u8) -> bool {
    lot != 0 || world.scope.expiry == 0 || at < world.scope.expiry
}

/// The budget period that holds an instant.
pub const fn period_of(world: &World<'_>, at: u8) -> u8 {
    match at.checked_div(world.scope.period) {
        Some(period) => period,
        None => 0, // there is only one
    }
}

/// `put_back` of `returning.lua`: a lot that is past its expiry, or gone, takes none. Answers what lapsed.
fn put_back(state: &mut State, world: &World<'_>, split: Split) -> (Split, u8) {
    let at = now(state, world);
    let (mut returned, mut lapsed) = ([0; LOTS], 0);
    for lot in 0..LOTS {
        if state.redis.image.account.has(lot) && lives(world, lot, at) {
            state.redis.image.account.left[lot] += split[lot];
            returned[lot] = split[lot];
        } else {
            lapsed += split[lot];
        }
    }
    (returned, lapsed)
}

/// `lower_used` of `returning.lua`.
fn lower_used(state: &mut State, credits: u8, period: u8) {
    let account = &mut state.redis.image.account;
    if account.period == period {
        account.used = account.used.saturating_sub(credits);
    }
}

/// What of a split lies beyond its first credits (`beyond` of `closing.lua`): the lots that expire first stay drawn.
pub fn beyond(split: Split, mut kept: u8) -> Split {
    split.map(|credits| {
        let stays = credits.min(kept);
        kept -= stays;
        credits - stays
    })
}

/// The credits of an op that live state has drawn and not returned, by events that the book has not recorded.
pub fn unrecorded(state: &State, op: usize) -> i16 {
    let image = &state.redis.image;
    if image.incarnation != state.book.incarnation {
        return 0;
    }
    let from = state.book.applied.map_or(0, |applied| applied + 1);
    (from..=image.meta.sequence)
        .filter_map(|sequence| image.event(sequence))
        .map(|event| change_of(state, event, op))
        .sum()
}

fn change_of(state: &State, event: &Event, op: usize) -> i16 {
    let credits = i16::from(crate::state::total(event.split));
    match event.kind {
        Kind::Debit if usize::from(event.op) == op => credits,
        Kind::GiveBack | Kind::Settle if usize::from(event.op) == op => -credits - i16::from(event.lapsed),
        Kind::Control => match state.book.row(event.version) {
            Some(row)
                if row.kind == crate::state::RowKind::UndoSettled && usize::from(row.of) == op && !row.is_settled =>
            {
                -credits - i16::from(event.lapsed)
            }
            _ => 0,
        },
        _ => 0,
    }
}

/// Whether live state looks for the closed mark of a request, and finds one.
fn is_closed(state: &State, world: &World<'_>, op: usize, own: crate::state::Mark) -> bool {
    use crate::state::Mark;
    let mark = state.redis.image.closed[op];
    let counts = match mark {
        Mark::None => false,
        Mark::Closed | Mark::Installed => own == Mark::Closed || world.guards.has(Guard::OneMark),
        Mark::Settled => own == Mark::Settled,
    };
    world.guards.has(Guard::ClosedMarks) && counts
}
