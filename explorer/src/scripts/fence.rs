//! `prelude.lua`, `seal.lua`, `certify.lua`, `open.lua`, `drained.lua`: the fence, the clock, the bounds.

use super::{Door, append, leave};
use crate::state::{Account, Event, Image, Kind, Mark, Meta, OPS, State, World};
use crate::{Guard, Invariant};

/// `enter` of `prelude.lua`, and whether the process has a script of that certification at all.
pub fn enter(state: &State, world: &World<'_>, door: Door, certification: u8) -> bool {
    let meta = &state.redis.image.meta;
    let is_loaded =
        state.redis.scripts >> certification & 1 == 1 || door == Door::Open && !world.guards.has(Guard::ScriptFence);
    let holder = if door == Door::Open { meta.open } else { meta.owner };
    let is_held = meta.is_there && (holder == certification || !world.guards.has(Guard::MetaNumber));
    certification > 0 && is_loaded && is_held
}

/// `clock` of `prelude.lua`.
pub fn now(state: &State, world: &World<'_>) -> u8 {
    if world.guards.has(Guard::HighestTime) { state.clock.max(state.redis.image.meta.highest) } else { state.clock }
}

/// `seal.lua`; false where a later owner came.
pub fn seal(state: &mut State, world: &World<'_>, epoch: u8) -> bool {
    let image = &mut state.redis.image;
    if image.epoch > epoch {
        return false;
    }
    if world.guards.has(Guard::Seal) {
        (image.meta.open, image.meta.owner) = (0, 0);
    }
    image.epoch = epoch;
    true
}

/// How a certification goes on.
pub enum Mode {
    Same { drained: u8 },
    New { highest: u8 },
}

/// What `certify.lua` answers.
#[derive(PartialEq, Eq)]
pub enum Certified {
    Yes,
    Newer,
    /// It asserts that an incarnation goes on from where its stream ends.
    Elsewhere,
}

/// `certify.lua`, and the scripts loaded before it.
pub fn certify(
    state: &mut State,
    world: &World<'_>,
    epoch: u8,
    incarnation: u8,
    certification: u8,
    mode: &Mode,
) -> Certified {
    state.redis.scripts |= 1 << certification;
    let clock = state.clock;
    let image = &mut state.redis.image;
    if image.epoch > epoch {
        return Certified::Newer;
    }
    let drained = match mode {
        Mode::New { highest } => {
            begin(image, world);
            image.meta.highest = clock.max(*highest);
            image.events[0] = Event { kind: Kind::Opened, at: image.meta.highest, ..Event::default() };
            0
        }
        Mode::Same { drained } => {
            if !image.meta.is_there || image.meta.sequence != *drained {
                return Certified::Elsewhere;
            }
            image.meta.open = 0;
            image.meta.highest = clock.max(image.meta.highest);
            *drained
        }
    };
    image.meta.is_there = true;
    image.meta.exposed = 0;
    image.meta.owner = certification;
    image.meta.last_sequence = drained + world.scope.cap_events;
    (image.epoch, image.incarnation, image.certification) = (epoch, incarnation, certification);
    state.seen = state.seen.max(state.redis.image.meta.highest);
    state.rolled_back = false;
    Certified::Yes
}

/// A new incarnation has keys of its own: nothing of the one before is there.
fn begin(image: &mut Image, world: &World<'_>) {
    if world.guards.has(Guard::NewPrefix) {
        image.account = Account::default();
        image.closed = [Mark::None; OPS];
    }
    image.events = Image::default().events;
    image.first = 0;
    image.meta = Meta::default();
}

/// `open.lua`.
pub fn open(state: &mut State, world: &World<'_>, certification: u8) -> bool {
    let may = enter(state, world, Door::Owner, certification);
    if may {
        state.redis.image.meta.open = certification;
    }
    may
}

/// `drained.lua`: notes how far the book is. `credits` are those that debits drew since the last note; `trim` lets go of what
/// the book has, but for the last event. Answers the shard's time, or nothing when it is not certified.
pub fn drained(
    state: &mut State,
    world: &World<'_>,
    certification: u8,
    drained: u8,
    credits: u8,
    trim: bool,
) -> Option<u8> {
    if !enter(state, world, Door::Owner, certification) || drained > state.redis.image.meta.sequence {
        return None;
    }
    let image = &mut state.redis.image;
    image.meta.exposed = image.meta.exposed.saturating_sub(credits);
    image.meta.last_sequence = drained + world.scope.cap_events;
    if trim {
        let lost = state.book.applied.map_or(0, |applied| applied + 1);
        let keep = if world.guards.has(Guard::TrimBehindCursor) { drained } else { image.meta.sequence };
        for event in image.events.iter_mut().take(usize::from(keep)) {
            if matches!(event.kind, Kind::GiveBack | Kind::Settle | Kind::Undo) {
                image.closed[usize::from(event.op)] = Mark::None;
            }
            *event = Event::default();
        }
        image.first = keep;
        if keep > lost {
            state.breaks(Invariant::EventLost);
        }
    }
    leave(state, world);
    Some(now(state, world))
}

/// The event that an install leaves; here because `append` is the prelude's.
pub fn note_install(state: &mut State, world: &World<'_>, seq: u8, version: u8) {
    append(state, world, Event { kind: Kind::Installed, seq, version, ..Event::default() });
}
