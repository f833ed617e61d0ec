//! `freeze.lua` and `install.lua`: the account is stopped, and written from the book.

use super::fence::note_install;
use super::{Door, enter};
use crate::Guard;
use crate::state::{Account, Mark, OPS, Picture, State, World};

/// `freeze.lua`; false where the shard is not certified with this number.
pub fn freeze(state: &mut State, world: &World<'_>, certification: u8) -> bool {
    if !enter(state, world, Door::Owner, certification) {
        return false;
    }
    let account = &mut state.redis.image.account;
    account.is_frozen = account.is_there;
    true
}

/// What an install is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    Yes,
    /// Live state went on since the book was read.
    Moved,
    Uncertified,
}

/// `install.lua`: only if the account is absent, or its seq is the one at which the book was read. Lifts a freeze.
pub fn install(state: &mut State, world: &World<'_>, certification: u8, picture: Picture) -> Installed {
    if !enter(state, world, Door::Owner, certification) {
        return Installed::Uncertified;
    }
    let live = state.redis.image.account;
    if live.is_there && live.seq != picture.seq && world.guards.has(Guard::InstallAtSeq) {
        return Installed::Moved;
    }
    let undos = picture.undos.count_ones();
    state.redis.image.account = Account {
        is_there: true,
        is_frozen: false,
        seq: picture.seq,
        version: picture.version,
        lots: picture.lots,
        left: picture.left,
        used: picture.used,
        period: picture.period,
        undos: u8::try_from(undos).unwrap_or(u8::MAX),
    };
    for op in (0..OPS).filter(|op| picture.undos >> op & 1 == 1) {
        state.redis.image.closed[op] = Mark::Installed;
    }
    note_install(state, world, picture.seq, picture.version);
    Installed::Yes
}
