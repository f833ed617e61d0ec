//! How events reach the book: `ledger-sync/src/drain.rs`. Reading and committing are two steps, and much may come between.

use super::{Nexts, interrupt, lose};
use crate::record::{Recorded, record};
use crate::scripts::{self, now};
use crate::state::{BATCH, Batch, Kind, State, World};
use crate::words::{Step, Who};
use crate::{Guard, Invariant};

/// Reads the events that follow on what the owner knows to be in the book; false where there are none.
pub fn read(state: &State, who: usize, nexts: &mut Nexts) -> bool {
    let (owner, image) = (&state.owners[who], &state.redis.image);
    let first = owner.applied.map_or(0, |applied| applied + 1);
    if image.incarnation != owner.incarnation || !image.meta.is_there || image.meta.sequence < first {
        return false;
    }
    let (epoch, certification, incarnation) = (owner.epoch, owner.certification, owner.incarnation);
    let mut batch = Batch { epoch, certification, incarnation, from: owner.applied, ..Batch::default() };
    let mut next = *state;
    for (place, sequence) in batch.events.iter_mut().zip(first..=image.meta.sequence) {
        let Some(event) = image.event(sequence) else {
            next.breaks(Invariant::EventLost);
            break;
        };
        *place = *event;
        batch.count += 1;
    }
    debug_assert!(usize::from(batch.count) <= BATCH, "a batch has room for what was read");
    next.owners[who].batch = batch;
    nexts.push((
        Step::OwnerOf(Who(who), "reads the events after those it knows in the book, from sequence", first),
        next,
    ));
    true
}

/// The owner waits for its commit: it happens, or its answer is lost and it may happen later.
pub fn answers(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let batch = state.owners[who].batch;
    let mut next = *state;
    next.owners[who].batch = Batch::default();
    let what = match record(&mut next, world, &batch) {
        Recorded::Done(credits) => {
            let owner = &mut next.owners[who];
            owner.applied = next.book.applied;
            owner.credits = owner.credits.saturating_add(credits);
            owner.drained_time = batch.events[usize::from(batch.count) - 1].at;
            "has its batch recorded, up to sequence"
        }
        Recorded::Fenced => {
            lose(&mut next, who);
            "is refused by the book: the fence has moved on"
        }
        Recorded::Broken => {
            next.breaks(Invariant::Broken);
            interrupt(&mut next, who);
            "is refused by the book: its batch says what can't be"
        }
    };
    nexts.push((Step::OwnerOf(Who(who), what, next.book.applied.unwrap_or(0)), next));
    if state.spent.lost_commits < world.scope.lost_commits && state.late.count == 0 {
        let mut next = *state;
        next.spent.lost_commits += 1;
        next.late = batch;
        next.owners[who].batch = Batch::default();
        if state.owners[who].at == crate::state::At::Serving {
            // `look_again`: a commit whose answer was lost may have happened.
            let is_ours = next.book.incarnation == next.owners[who].incarnation;
            next.owners[who].applied = if is_ours { next.book.applied } else { next.owners[who].applied };
        } else {
            interrupt(&mut next, who);
        }
        nexts.push((Step::Owner(Who(who), "does not hear from the book: its batch is still on the way"), next));
    }
}

/// A commit that nobody waits for any more.
pub fn late(state: &State, world: &World<'_>, nexts: &mut Nexts) {
    if state.late.count == 0 {
        return;
    }
    let mut next = *state;
    next.late = Batch::default();
    let what = match record(&mut next, world, &state.late) {
        Recorded::Done(_) => "the batch that was on the way is recorded",
        Recorded::Fenced | Recorded::Broken => "the book refuses the batch that was on the way",
    };
    nexts.push((Step::World(what), next));
}

/// `note`, and what is let go of with it.
pub fn note(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let owner = &state.owners[who];
    let Some(applied) = owner.applied else { return };
    let meta = &state.redis.image.meta;
    let is_news = owner.noted < applied || owner.credits > 0;
    let is_later = meta.sequence == applied && owner.drained_time < now(state, world);
    if is_news || is_later {
        push_note(state, world, who, applied, false, nexts);
    }
    if state.spent.trims < world.scope.trims && may_trim(state, world, applied) {
        push_note(state, world, who, applied, true, nexts);
    }
}

/// `Retention::let_go`: a mark stays while the debit that it keeps out may still arrive.
fn may_trim(state: &State, world: &World<'_>, applied: u8) -> bool {
    let image = &state.redis.image;
    let until = if world.guards.has(Guard::TrimBehindCursor) { applied } else { image.meta.sequence };
    let goes = || (image.first..until).filter_map(|sequence| image.event(sequence));
    let is_needed = goes().any(|event| event.kind == Kind::Undo && state.clock < event.until);
    goes().next().is_some() && !(is_needed && world.guards.has(Guard::MarksKept))
}

fn push_note(state: &State, world: &World<'_>, who: usize, applied: u8, trim: bool, nexts: &mut Nexts) {
    let (owner, mut next) = (&state.owners[who], *state);
    let Some(at) = scripts::drained(&mut next, world, owner.certification, applied, owner.credits, trim) else {
        interrupt(&mut next, who);
        nexts.push((Step::Owner(Who(who), "is told that the shard is not certified with its number"), next));
        return;
    };
    next.spent.trims += u8::from(trim);
    let is_all = next.redis.image.meta.sequence == applied;
    let owner = &mut next.owners[who];
    (owner.noted, owner.credits) = (applied, 0);
    if is_all {
        owner.drained_time = at;
    }
    let what = if trim {
        "tells Redis how far the book is, and lets go of events before"
    } else {
        "tells Redis how far the book is:"
    };
    nexts.push((Step::OwnerOf(Who(who), what, next.redis.image.first.max(if trim { 0 } else { applied })), next));
}
