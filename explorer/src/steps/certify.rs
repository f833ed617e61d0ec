//! Certification: `ledger-sync/src/certify.rs`.

use super::{Nexts, drain, interrupt, lose};
use crate::scripts::{self, Certified, Mode};
use crate::state::{At, BookState, Kind, Owner, State, World};
use crate::words::{Step, Who};
use crate::{Guard, Invariant};

/// Certifications that the model has numbers for.
const CERTIFICATIONS: u8 = 14;

/// Takes a shard that is free, or whose owner let its lease run out: it may wake up at any time.
pub fn claim(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let holder = &state.owners[usize::from(state.book.owner)];
    let is_free = holder.at == At::Away;
    if !is_free && (usize::from(state.book.owner) == who || state.spent.takeovers >= world.scope.takeovers) {
        return;
    }
    if is_free && who != usize::from(state.book.owner) {
        return; // one of them is enough
    }
    let mut next = *state;
    next.spent.takeovers += u8::from(!is_free);
    next.book.owner = scripts::index(who);
    next.book.epoch += 1;
    next.owners[who] = Owner { at: At::Claimed, epoch: next.book.epoch, ..Owner::default() };
    let what = if is_free { "claims the shard" } else { "claims the shard, whose owner has fallen silent" };
    nexts.push((Step::Owner(Who(who), what), next));
}

/// One step of a certification.
pub fn steps(state: &State, world: &World<'_>, who: usize, nexts: &mut Nexts) {
    let mut next = *state;
    let what = match state.owners[who].at {
        At::Claimed => look(&mut next, who),
        At::Looked => {
            catch_up(state, who, nexts);
            seal(&mut next, world, who)
        }
        At::Sealed => raise_fence(&mut next, world, who),
        At::Fenced => compare(&mut next, world, who),
        At::GoingOn | At::Rescuing if drain::read(state, who, nexts) => return,
        At::GoingOn => go_on(&mut next, world, who),
        At::Rescuing => {
            next.owners[who].at = At::Beginning;
            "has drained what there was"
        }
        At::Beginning => start_incarnation(&mut next, who),
        _ => begin(&mut next, world, who),
    };
    nexts.push((Step::OwnerOf(Who(who), what, next.owners[who].certification), next));
}

/// `ours` and `head`: the book is asked first.
fn look(next: &mut State, who: usize) -> &'static str {
    let book = next.book;
    if usize::from(book.owner) != who || book.epoch != next.owners[who].epoch {
        lose(next, who);
        return "learns from the book that the shard is another's; certification";
    }
    let image = &next.redis.image;
    next.owners[who] = Owner {
        at: At::Looked,
        epoch: book.epoch,
        certification: book.certification,
        incarnation: book.incarnation,
        applied: book.applied,
        link: true,
        head_incarnation: image.incarnation,
        head_certification: image.certification,
        ..Owner::default()
    };
    "looks at the shard in book and Redis, last certified with"
}

/// `catch_up`: records what waits while gateways are still let in.
fn catch_up(state: &State, who: usize, nexts: &mut Nexts) {
    if !is_behind(state, who) && state.book.state == BookState::Open {
        drain::read(state, who, nexts);
    }
}

fn seal(next: &mut State, world: &World<'_>, who: usize) -> &'static str {
    if scripts::seal(next, world, next.owners[who].epoch) {
        next.owners[who].at = At::Sealed;
        "seals the shard, last certified with"
    } else {
        lose(next, who);
        "finds a later owner's epoch in Redis; certification"
    }
}

fn raise_fence(next: &mut State, world: &World<'_>, who: usize) -> &'static str {
    let owner = &mut next.owners[who];
    if usize::from(next.book.owner) != who || next.book.epoch != owner.epoch {
        lose(next, who);
        return "learns from the book that the shard is another's; certification";
    }
    let certification = next.book.certification.max(owner.head_certification) + 1;
    next.full |= certification > CERTIFICATIONS;
    (next.book.certification, owner.certification) = (certification, certification);
    if world.guards.has(Guard::RowAfterFence) {
        owner.applied = next.book.applied; // a commit under the fence before may have come since the shard was looked at
    }
    owner.at = At::Fenced;
    "raises the fence in the book to certification"
}

/// Whether this process holds less than the book knows, as far as sequence and last event tell.
fn is_behind(state: &State, who: usize) -> bool {
    let (owner, image) = (&state.owners[who], &state.redis.image);
    if image.incarnation != owner.incarnation || owner.head_incarnation != owner.incarnation || !image.meta.is_there {
        return true;
    }
    let Some(applied) = owner.applied else { return false };
    let is_same = image.event(applied).is_some_and(|event| {
        let op = if matches!(event.kind, Kind::Control | Kind::Installed | Kind::Opened) { 0 } else { event.op + 1 };
        state.book.applied != Some(applied) || (event.kind, op) == (state.book.applied_kind, state.book.applied_op)
    });
    image.meta.sequence < applied || !is_same
}

/// `behind`.
fn compare(next: &mut State, world: &World<'_>, who: usize) -> &'static str {
    let (is_behind, is_open) = (is_behind(next, who), next.book.state == BookState::Open);
    let owner = &mut next.owners[who];
    if !is_behind && is_open {
        owner.at = At::GoingOn;
        return "finds that Redis holds all that the book knows, under certification";
    }
    let rescues = !is_behind && world.guards.has(Guard::DrainBeforeRebuild);
    owner.at = if rescues { At::Rescuing } else { At::Beginning };
    if is_behind {
        "finds that Redis does not hold what the book knows, under certification"
    } else {
        "finds an install that was not ended, under certification"
    }
}

fn go_on(next: &mut State, world: &World<'_>, who: usize) -> &'static str {
    let Owner { epoch, incarnation, certification, applied, .. } = next.owners[who];
    let drained = applied.unwrap_or(0);
    match scripts::certify(next, world, epoch, incarnation, certification, &Mode::Same { drained }) {
        Certified::Yes => {
            next.owners[who].at = At::Carrying;
            next.owners[who].noted = drained;
            "certifies the shard, which goes on, with"
        }
        Certified::Newer => {
            lose(next, who);
            "finds a later owner's epoch in Redis; certification"
        }
        Certified::Elsewhere => {
            next.breaks(Invariant::Broken);
            interrupt(next, who);
            "finds that the stream ends elsewhere than it counted to; certification"
        }
    }
}

fn start_incarnation(next: &mut State, who: usize) -> &'static str {
    let owner = next.owners[who];
    if !crate::record::may_hold(&next.book, owner.epoch, owner.certification, owner.incarnation) {
        lose(next, who);
        return "learns from the book that the shard is another's; certification";
    }
    let image = &next.redis.image;
    let is_held = image.incarnation == owner.incarnation && image.meta.is_there && !next.rolled_back;
    let from = next.book.applied.map_or(0, |applied| applied + 1);
    let is_told = |kind| matches!(kind, Kind::Debit | Kind::GiveBack | Kind::Settle | Kind::Undo);
    let mut waiting = (from..=image.meta.sequence).filter_map(|sequence| image.event(sequence));
    if is_held && waiting.any(|event| is_told(event.kind)) {
        next.breaks(Invariant::EventLost);
    }
    let incarnation = next.book.incarnation.max(owner.head_incarnation) + 1;
    next.full |= usize::from(incarnation) >= crate::state::INCARNATIONS;
    next.book.incarnation = incarnation;
    next.book.state = BookState::Installing;
    next.book.applied = None;
    (next.book.applied_kind, next.book.applied_op) = (Kind::None, 0);
    next.owners[who].incarnation = incarnation;
    next.owners[who].applied = None;
    next.owners[who].at = At::Begun;
    "begins a new incarnation in the book, under certification"
}

fn begin(next: &mut State, world: &World<'_>, who: usize) -> &'static str {
    let Owner { epoch, incarnation, certification, head_incarnation, .. } = next.owners[who];
    let image = &next.redis.image;
    let found = if image.incarnation == head_incarnation && image.meta.is_there { image.meta.highest } else { 0 };
    let mode = Mode::New { highest: found.max(next.book.drained_at) };
    if scripts::certify(next, world, epoch, incarnation, certification, &mode) == Certified::Newer {
        lose(next, who);
        return "finds a later owner's epoch in Redis; certification";
    }
    next.owners[who].at = At::Opening;
    "certifies the new incarnation with"
}
