//! `undo.lua`, `give_back.lua`, `settle.lua` (both `closing.lua`): a debit is closed once, whoever comes first.

use super::debit::index;
use super::{Door, append, beyond, enter, is_closed, lower_used, put_back};
use crate::state::{Event, Gateway, Kind, Mark, State, World, total};
use crate::{Guard, Invariant};

/// What a closing is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// It became an undo: the book decides.
    Undo,
    /// Somebody was first.
    Closed,
    /// Absent, frozen or not certified: it stays queued.
    Deferred,
}

/// `undo.lua`, of a debit whose outcome its asker does not know.
pub fn undo(state: &mut State, world: &World<'_>, certification: u8, op: usize) -> Answer {
    let not_after = state.ops[op].not_after;
    if let Some(answer) = answered_already(state, world, certification, op, Mark::Closed) {
        return answer;
    }
    mark_undo(state, world, op, not_after, None, Mark::Closed);
    Answer::Done
}

/// `OwnerLink::release`: the same script, of a hold that nobody settled in time.
pub fn release(state: &mut State, world: &World<'_>, certification: u8, op: usize) -> Answer {
    if let Some(answer) = answered_already(state, world, certification, op, Mark::Closed) {
        return answer;
    }
    if state.ops[op].gateway == Gateway::Settling && state.ops[op].is_in_time {
        state.breaks(Invariant::SettlementLost);
    }
    mark_undo(state, world, op, state.book.debits[op].at, None, Mark::Closed);
    Answer::Done
}

/// `give_back.lua`.
pub fn give_back(state: &mut State, world: &World<'_>, certification: u8, op: usize) -> Answer {
    close(state, world, certification, op, None)
}

/// `settle.lua`.
pub fn settle(state: &mut State, world: &World<'_>, certification: u8, op: usize, price: u8) -> Answer {
    close(state, world, certification, op, Some(price))
}

/// `close_debit` of `closing.lua`.
fn close(state: &mut State, world: &World<'_>, certification: u8, op: usize, settled: Option<u8>) -> Answer {
    let own = if settled.is_some() && !world.guards.has(Guard::OneMark) { Mark::Settled } else { Mark::Closed };
    if let Some(answer) = answered_already(state, world, certification, op, own) {
        return answer;
    }
    let asked = state.ops[op];
    let is_here = asked.event_incarnation == state.redis.image.incarnation;
    let debit = state.redis.image.event(asked.event).filter(|event| is_here && event.kind == Kind::Debit);
    let Some(debit) = debit.filter(|event| usize::from(event.op) == op).copied() else {
        mark_undo(state, world, op, asked.not_after, settled, own);
        return Answer::Undo;
    };
    let kept = settled.unwrap_or(0).min(total(debit.split));
    let (returned, lapsed) = put_back(state, world, beyond(debit.split, kept));
    lower_used(state, total(debit.split) - kept, debit.period);
    let account = &mut state.redis.image.account;
    account.seq += 1;
    let (seq, period) = (account.seq, debit.period);
    let kind = if settled.is_some() { Kind::Settle } else { Kind::GiveBack };
    let kept = settled.map_or(0, |_| kept + 1);
    append(state, world, Event { kind, op: index(op), seq, split: returned, lapsed, period, kept, ..Event::default() });
    state.redis.image.closed[op] = own;
    Answer::Done
}

/// The answer of one that changes nothing; none where it may close.
fn answered_already(state: &State, world: &World<'_>, certification: u8, op: usize, own: Mark) -> Option<Answer> {
    let account = &state.redis.image.account;
    if !enter(state, world, Door::Open, certification) {
        return Some(Answer::Deferred);
    }
    if is_closed(state, world, op, own) {
        return Some(Answer::Closed);
    }
    (!account.is_there || account.is_frozen).then_some(Answer::Deferred)
}

/// `mark_undo` of `undoing.lua`.
fn mark_undo(state: &mut State, world: &World<'_>, op: usize, not_after: u8, kept: Option<u8>, own: Mark) {
    let account = &mut state.redis.image.account;
    account.seq += 1;
    account.undos += 1;
    let (seq, kept) = (account.seq, kept.map_or(0, |kept| kept + 1));
    append(state, world, Event { kind: Kind::Undo, op: index(op), seq, until: not_after, kept, ..Event::default() });
    state.redis.image.closed[op] = own;
}
