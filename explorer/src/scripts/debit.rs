//! `debit.lua`: every check, then one event and what it says.

use super::{Door, append, enter, is_closed, lives, now, period_of, unrecorded};
use crate::state::{Event, Gateway, Kind, LOTS, Mark, Split, State, World, total};
use crate::{Guard, Invariant};

/// What a debit is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Debited {
    Drawn,
    Refused,
    /// Absent or frozen: nothing was written, and it is asked again.
    InstalledSoon,
    Uncertified,
}

/// Draws for a request, or says why not.
pub fn debit(state: &mut State, world: &World<'_>, op: usize) -> Debited {
    let (asked, guards) = (state.ops[op], world.guards);
    if !enter(state, world, Door::Open, asked.wire) {
        return Debited::Uncertified;
    }
    if asked.wire_incarnation != state.redis.image.incarnation {
        // Keys of another prefix: nobody will ever read that event.
        state.breaks(Invariant::EventLost);
        return Debited::Drawn;
    }
    let at = now(state, world);
    let account = state.redis.image.account;
    if !account.is_there || (account.is_frozen && guards.has(Guard::Freeze)) {
        return Debited::InstalledSoon;
    }
    if guards.has(Guard::NotAfter) && at >= asked.not_after {
        return Debited::Refused;
    }
    let looks = account.undos > 0 && guards.has(Guard::UndoPending);
    if looks && (is_closed(state, world, op, Mark::Closed) || is_closed(state, world, op, Mark::Settled)) {
        return Debited::Refused;
    }
    turn_period(state, world);
    let account = state.redis.image.account;
    let price = world.scope.price;
    if world.scope.limit > 0 && account.used + price > world.scope.limit {
        return Debited::Refused;
    }
    let Some(split) = burn(state, world, price, at) else { return Debited::Refused };
    let meta = &state.redis.image.meta;
    if guards.has(Guard::ExposureCap)
        && (meta.sequence >= meta.last_sequence || meta.exposed + price > world.scope.cap_credits)
    {
        return Debited::Refused;
    }
    watch(state, world, op, split);
    let image = &mut state.redis.image;
    image.account.seq += 1;
    image.account.used += price;
    image.meta.exposed += price;
    for (left, drawn) in image.account.left.iter_mut().zip(split) {
        *left -= drawn;
    }
    let (seq, period) = (image.account.seq, image.account.period);
    let until = if world.scope.holds { at + world.scope.hold_life } else { 0 };
    append(state, world, Event { kind: Kind::Debit, op: index(op), seq, split, period, until, ..Event::default() });
    Debited::Drawn
}

/// `turn_period` of `account.lua`: a new period begins by being in it. Without the guard a job resets it, some time.
fn turn_period(state: &mut State, world: &World<'_>) {
    let period = period_of(world, now(state, world));
    let account = &mut state.redis.image.account;
    if world.guards.has(Guard::PeriodFromTime) && period > account.period {
        (account.used, account.period) = (0, period);
    }
}

/// `eligible` and `take`: the lot that expires first pays first.
fn burn(state: &State, world: &World<'_>, price: u8, at: u8) -> Option<Split> {
    let (account, mut owed, mut split) = (&state.redis.image.account, price, [0; LOTS]);
    for (lot, drawn) in split.iter_mut().enumerate() {
        if account.has(lot) && (lives(world, lot, at) || !world.guards.has(Guard::ExpiryInDebit)) {
            *drawn = account.left[lot].min(owed);
            owed -= *drawn;
        }
    }
    (owed == 0 && total(split) > 0).then_some(split)
}

/// What must hold of a debit at the instant it draws.
fn watch(state: &mut State, world: &World<'_>, op: usize, split: Split) {
    if (0..LOTS).any(|lot| split[lot] > 0 && !lives(world, lot, state.seen.max(now(state, world)))) {
        state.breaks(Invariant::DrawnExpired);
    }
    if state.ops[op].gateway == Gateway::Undone {
        state.breaks(Invariant::LateDebit);
    }
    let debit = &state.book.debits[op];
    let recorded = i16::from(debit.drawn) - i16::from(debit.returned);
    if recorded + unrecorded(state, op) > 0 {
        state.breaks(Invariant::DrawnTwice);
    }
}

/// Indices of requests are few.
pub fn index(op: usize) -> u8 {
    u8::try_from(op).unwrap_or(u8::MAX)
}
