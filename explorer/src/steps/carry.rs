//! How the book's decisions reach live state: `ledger-sync/src/carry.rs`, one row after the other.

use super::{Nexts, interrupt};
use crate::Guard;
use crate::scripts::{self, Outcome};
use crate::state::{At, RowKind, State, World};
use crate::words::{Step, Who};

/// Carries the first row that was not sent yet; false where there is none, or it must wait.
pub fn step(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) -> bool {
    let owner = &state.owners[who];
    let Some(version) = state.book.undelivered().find(|&version| owner.sent >> version & 1 == 0) else { return false };
    let Some(&row) = state.book.row(version) else { return false };
    let mut next = *state;
    let what = match scripts::control(&mut next, world, owner.certification, version, row) {
        Outcome::Early => return false,
        Outcome::Applied => {
            next.owners[who].sent |= 1 << version;
            if row.kind == RowKind::Grant && !world.guards.has(Guard::GrantsAsEvents) {
                next.book.rows[usize::from(version) - 1].is_delivered = true;
            }
            match row.kind {
                RowKind::Grant => "carries the grant to Redis: version",
                RowKind::Reduce => "carries the reduction to Redis: version",
                RowKind::Expire => "takes the expired lot out of Redis: version",
                _ => "carries what the book decided about an undo to Redis: version",
            }
        }
        Outcome::Already => {
            next.owners[who].sent |= 1 << version;
            "finds that Redis has version"
        }
        Outcome::Uncertified => {
            interrupt(&mut next, who);
            "is told that the shard is not certified with its number, at version"
        }
        Outcome::Gap | Outcome::NeedsInstall | Outcome::Frozen => {
            scripts::freeze(&mut next, world, owner.certification);
            next.owners[who].before_opening = owner.at == At::Carrying;
            next.owners[who].at = At::Frozen;
            "freezes the account, to install it anew for version"
        }
    };
    nexts.push((Step::OwnerOf(Who(who), what, version), next));
    true
}
