//! Every step that can follow on a state, one file a kind of actor.

mod carry;
mod certify;
mod drain;
mod gateway;
mod install;
mod owner;
mod surroundings;
mod sweep;

pub use gateway::{SETTLED, may_ask_again};

use crate::state::{At, State, World};
use crate::words::Step;

/// The states that can follow, each with the step that leads to it.
pub type Nexts = Vec<(Step, State)>;

/// All of them, always in the same order.
pub fn all(state: &State, world: &World<'_>, nexts: &mut Nexts) {
    for op in 0..usize::from(world.scope.requests) {
        gateway::steps(state, world, op, nexts);
    }
    for who in 0..state.owners.len() {
        owner::steps(state, world, who, nexts);
    }
    drain::late(state, world, nexts);
    surroundings::steps(state, world, nexts);
}

/// Goes back to the beginning of certification: its connection broke, or Redis says that it is not certified.
fn interrupt(state: &mut State, who: usize) {
    let owner = &mut state.owners[who];
    owner.at = At::Claimed;
    owner.sent = 0;
    owner.credits = 0;
}

/// The shard is another's.
fn lose(state: &mut State, who: usize) {
    state.owners[who] = crate::state::Owner::default();
}
