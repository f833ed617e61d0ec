//! What comes due: `sweep` of `ledger-sync/src/accounts.rs`, and `due.rs`.

use super::{Nexts, lose};
use crate::Guard;
use crate::record::{expire_due, settle_undos};
use crate::scripts::{self, Answer};
use crate::state::{Gateway, Owner, State, World};
use crate::words::{Step, Who};

/// Answers whether it found any, or nothing where the fence has moved on.
type Sweep = fn(&mut State, &World<'_>, &Owner) -> Option<bool>;

/// Lots past their expiry, undos that nothing can follow any more, holds whose time is over.
pub fn steps(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let owner = state.owners[who];
    let found: [(Sweep, _); 2] = [
        (expire_due, "takes an expired lot off the book, or asks Redis what is left of it"),
        (settle_undos, "settles an undo whose debit can't come any more"),
    ];
    for (sweep, what) in found {
        let mut next = *state;
        match sweep(&mut next, world, &owner) {
            Some(true) => nexts.push((Step::Owner(Who(who), what), next)),
            Some(false) => {}
            None => {
                lose(&mut next, who);
                nexts.push((Step::Owner(Who(who), "learns from the book that the shard is another's"), next));
                return;
            }
        }
    }
    if world.scope.holds {
        release_holds(state, world, who, nexts);
    }
}

fn release_holds(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let owner = state.owners[who];
    if !owner.grace_over {
        let waits = state.ops.iter().any(|op| op.gateway == Gateway::Settling && op.is_in_time);
        if !waits {
            let mut next = *state;
            next.owners[who].grace_over = true;
            nexts.push((Step::World("gateways have had time to deliver what they had queued"), next));
        }
        if world.guards.has(Guard::HoldGrace) {
            return;
        }
    }
    for op in 0..usize::from(world.scope.requests) {
        let debit = &state.book.debits[op];
        let is_due = debit.hold_until > 0 && debit.hold_until <= owner.drained_time && !state.book.undos[op].is_asked;
        let mut next = *state;
        if is_due && scripts::release(&mut next, world, owner.certification, op) == Answer::Done {
            let what = "releases a hold that nobody settled in time, of request";
            nexts.push((Step::OwnerOf(Who(who), what, scripts::index(op) + 1), next));
        }
    }
}
