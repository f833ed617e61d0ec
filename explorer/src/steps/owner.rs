//! The life of a shard in the hands of its owner: `ledger-sync/src/accounts.rs`.

use super::{Nexts, carry, certify, drain, install, interrupt, sweep};
use crate::Guard;
use crate::scripts;
use crate::state::{At, BookState, State, World};
use crate::words::{Step, Who};

/// What one owner can do next. It does one thing after the other, so while it waits for the book it does nothing else.
pub fn steps(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let owner = &state.owners[who];
    if owner.batch.count > 0 {
        drain::answers(state, world, who, nexts);
        return;
    }
    let certifies = owner.at > At::Claimed && owner.at <= At::Opening;
    if owner.at > At::Claimed && !owner.link && (world.guards.has(Guard::OneConnection) || !certifies) {
        let mut next = *state;
        interrupt(&mut next, who);
        nexts.push((Step::Owner(Who(who), "finds its connection broken and will certify again"), next));
        return;
    }
    match owner.at {
        At::Away => certify::claim(state, world, who, nexts),
        At::Claimed | At::Looked | At::Sealed | At::Fenced | At::GoingOn | At::Rescuing | At::Beginning | At::Begun => {
            certify::steps(state, world, who, nexts);
        }
        At::Carrying => {
            if !carry::step(state, world, who, nexts) {
                let_in(state, world, who, At::Serving, nexts);
            }
        }
        At::Opening => let_in(state, world, who, At::Preparing, nexts),
        At::Preparing | At::Installing | At::Frozen | At::Pictured => install::steps(state, world, who, nexts),
        At::Installed => {
            if !drain::read(state, who, nexts) {
                say_open(state, world, who, nexts);
            }
        }
        At::Serving => {
            drain::read(state, who, nexts);
            drain::note(state, world, who, nexts);
            carry::step(state, world, who, nexts);
            sweep::steps(state, world, who, nexts);
        }
    }
}

fn let_in(state: &State, world: &World<'_>, who: usize, then: At, nexts: &mut Nexts) {
    let mut next = *state;
    if scripts::open(&mut next, world, state.owners[who].certification) {
        next.owners[who].at = then;
        next.owners[who].grace_over = !world.scope.holds;
        nexts.push((Step::Owner(Who(who), "lets gateways in"), next));
    } else {
        interrupt(&mut next, who);
        nexts.push((Step::Owner(Who(who), "is told that the shard is not certified with its number"), next));
    }
}

/// `set_state`.
fn say_open(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let (owner, mut next) = (&state.owners[who], *state);
    if crate::record::may_hold(&state.book, owner.epoch, owner.certification, owner.incarnation)
        || !world.guards.has(Guard::CommitFence)
    {
        next.book.state = BookState::Open;
        next.owners[who].at = At::Serving;
        nexts.push((Step::Owner(Who(who), "notes in the book that the shard is open"), next));
    } else {
        super::lose(&mut next, who);
        nexts.push((Step::Owner(Who(who), "learns from the book that the shard is another's"), next));
    }
}
