//! `control.lua`: one outbox row, version v + 1 only on v.

use super::{Door, append, enter, lives, lower_used, now, put_back};
use crate::Guard;
use crate::state::{Event, Kind, LOTS, Mark, Row, RowKind, Split, State, World, total};

/// What a control change is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    Already,
    Gap,
    NeedsInstall,
    Early,
    Frozen,
    Uncertified,
}

/// Applies one row.
pub fn control(state: &mut State, world: &World<'_>, certification: u8, version: u8, row: Row) -> Outcome {
    if !enter(state, world, Door::Owner, certification) {
        return Outcome::Uncertified;
    }
    let account = state.redis.image.account;
    if account.is_there && account.is_frozen {
        return Outcome::Frozen;
    }
    if account.is_there && version <= account.version {
        return Outcome::Already;
    }
    if !account.is_there || version != account.version + 1 {
        return Outcome::Gap;
    }
    let lot = usize::from(row.of).min(LOTS - 1);
    let (mut split, mut lapsed): (Split, u8) = ([0; LOTS], 0);
    match row.kind {
        RowKind::None | RowKind::Capped => return Outcome::NeedsInstall,
        RowKind::Expire if lives(world, lot, now(state, world)) => return Outcome::Early,
        RowKind::Grant => {
            let account = &mut state.redis.image.account;
            account.lots |= 1 << lot;
            account.left[lot] += row.split[lot];
            split = row.split;
        }
        RowKind::Reduce => split[lot] = take_from(state, lot, row.split[lot]),
        RowKind::Expire => split[lot] = take_from(state, lot, u8::MAX),
        RowKind::UndoSettled => {
            (split, lapsed) = put_back(state, world, row.split);
            lower_used(state, total(row.split), row.period);
            if row.is_counted {
                let image = &mut state.redis.image;
                image.account.undos = image.account.undos.saturating_sub(1);
                let mark = &mut image.closed[usize::from(row.of)];
                if *mark == Mark::Installed {
                    *mark = Mark::None;
                }
            }
        }
    }
    let account = &mut state.redis.image.account;
    account.version = version;
    if row.kind == RowKind::Grant && !world.guards.has(Guard::GrantsAsEvents) {
        return Outcome::Applied; // the balance changes, and nothing says so
    }
    account.seq += 1;
    let seq = account.seq;
    append(state, world, Event { kind: Kind::Control, op: row.of, seq, split, lapsed, version, ..Event::default() });
    Outcome::Applied
}

/// Reductions take what is there.
fn take_from(state: &mut State, lot: usize, most: u8) -> u8 {
    let account = &mut state.redis.image.account;
    let taken = if account.has(lot) { account.left[lot].min(most) } else { 0 };
    account.left[lot] -= taken;
    taken
}
