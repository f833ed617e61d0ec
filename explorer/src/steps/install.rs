//! Install: `ledger-sync/src/install.rs`. The book is read and Redis written in two steps.

use super::{Nexts, drain, interrupt, lose};
use crate::Invariant;
use crate::record::prepare_install;
use crate::scripts::{self, Installed};
use crate::state::{At, State, World};
use crate::words::{Step, Who};

/// One step of an install, of a whole shard or of one account.
pub fn steps(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let at = state.owners[who].at;
    if at == At::Frozen && drain::read(state, who, nexts) {
        return;
    }
    let mut next = *state;
    let what = if matches!(at, At::Frozen | At::Preparing) {
        read(&mut next, world, who)
    } else {
        write(&mut next, world, who)
    };
    nexts.push((Step::Owner(Who(who), what), next));
}

fn read(next: &mut State, world: &World<'_>, who: usize) -> &'static str {
    let owner = next.owners[who];
    let Some(picture) = prepare_install(next, world, &owner) else {
        lose(next, who);
        return "learns from the book that the shard is another's";
    };
    next.owners[who].picture = picture;
    next.owners[who].at = if owner.at == At::Frozen { At::Pictured } else { At::Installing };
    "settles what is on its way in the book and reads the account from it"
}

fn write(next: &mut State, world: &World<'_>, who: usize) -> &'static str {
    let owner = next.owners[who];
    let is_one = owner.at == At::Pictured;
    next.owners[who].picture = crate::state::Picture::default();
    match scripts::install(next, world, owner.certification, owner.picture) {
        Installed::Uncertified => {
            interrupt(next, who);
            "is told that the shard is not certified with its number"
        }
        Installed::Moved if is_one => {
            next.breaks(Invariant::Broken);
            interrupt(next, who);
            "finds the account elsewhere than the book says, though it is frozen and drained"
        }
        Installed::Moved | Installed::Yes if !is_one => {
            next.owners[who].at = At::Installed;
            "installs the account"
        }
        _ => {
            next.owners[who].at = if owner.before_opening { At::Carrying } else { At::Serving };
            "installs the account anew"
        }
    }
}
