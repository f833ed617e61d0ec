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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scope::NAMES;
    use crate::{Guards, Scope, Size};

    /// What happens on walks of chance through a scope.
    fn walked(scope: &Scope) -> BTreeSet<&'static str> {
        let world = World { scope, guards: Guards::ALL };
        let (mut seen, mut nexts, mut chance) = (BTreeSet::new(), Vec::new(), 0x9e37_79b9_7f4a_7c15_u64);
        for _ in 0..4_000 {
            let mut state = State::begin(scope);
            for _ in 0..70 {
                nexts.clear();
                all(&state, &world, &mut nexts);
                nexts.retain(|(_, next)| !next.full);
                chance ^= chance << 13;
                chance ^= chance >> 7;
                chance ^= chance << 17;
                let Some(place) = chance.checked_rem(nexts.len() as u64) else { break };
                let (step, next) = nexts[usize::try_from(place).unwrap_or_default()];
                seen.insert(step.what());
                state = next;
            }
        }
        seen
    }

    /// A model whose steps never come shows nothing.
    #[test]
    fn what_is_modelled_does_happen() {
        let scopes = NAMES.iter().filter_map(|name| Scope::named(name, Size::Ci));
        let seen: BTreeSet<&str> = scopes.flat_map(|scope| walked(&scope)).collect();
        for what in [
            "its debit's event is not at hand; it becomes an undo",
            "its late debit is refused",
            "its late debit is drawn, and nobody waits for the answer",
            "is told that nothing was written; asks again under the new certification",
            "the shard was certified anew: what closes its debit is sent again",
            "is told that its debit is closed already",
            "its hold is settled, but the answer is lost",
            "releases a hold that nobody settled in time, of request",
            "settles an undo whose debit can't come any more",
            "takes an expired lot off the book, or asks Redis what is left of it",
            "takes the expired lot out of Redis: version",
            "carries what the book decided about an undo to Redis: version",
            "freezes the account, to install it anew for version",
            "installs the account anew",
            "finds that Redis holds all that the book knows, under certification",
            "finds that Redis does not hold what the book knows, under certification",
            "finds an install that was not ended, under certification",
            "has drained what there was",
            "is told that the shard is not certified with its number",
            "finds a later owner's epoch in Redis; certification",
            "is refused by the book: the fence has moved on",
            "the book refuses the batch that was on the way",
            "the batch that was on the way is recorded",
            "tells Redis how far the book is, and lets go of events before",
            "Redis dies, and comes back with all",
            "the clock jumps back by one",
        ] {
            assert!(seen.contains(what), "never: {what}");
        }
        assert!(!seen.iter().any(|what| what.contains("what can't be") || what.contains("elsewhere")), "{seen:#?}");
    }
}
