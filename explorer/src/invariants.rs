//! What must hold at every instant, and at rest. Names and numbers are those of ARCHITECTURE.

use std::fmt;

use crate::Guard;
use crate::scripts::{Door, enter, period_of, unrecorded};
use crate::state::{At, Gateway, Kind, LOTS, RowKind, State, World, total};
use crate::steps::{SETTLED, may_ask_again};

/// A promise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Invariant {
    Overdrawn,
    DrawnExpired,
    OverBudget,
    DrawnTwice,
    ChargedTwice,
    LateDebit,
    RecordedTwice,
    EventLost,
    GrantLost,
    Drift,
    GivenBackTwice,
    Unreturned,
    ServedFree,
    SettlementLost,
    Exposure,
    Broken,
}

impl fmt::Display for Invariant {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Overdrawn => "I2: more was drawn than a lot had",
            Self::DrawnExpired => "I3: a lot past its expiry was drawn",
            Self::OverBudget => "I5: more was drawn in a budget period than its limit",
            Self::DrawnTwice => "I8: one request drew twice",
            Self::ChargedTwice => "I8: at rest, one request costs more than its price",
            Self::LateDebit => "I8: a debit drew after it was undone",
            Self::RecordedTwice => "I9: an event is in the book twice",
            Self::EventLost => "I9: an event that Redis has never reaches the book",
            Self::GrantLost => "I10: a paid grant is missing where gateways draw, and nobody will carry it",
            Self::Drift => "I10: where gateways draw, the balance is not the book less what is on its way",
            Self::GivenBackTwice => "I14: more was given back than was drawn",
            Self::Unreturned => "I14: at rest, a request pays although it was given back or undone",
            Self::ServedFree => "I8: at rest, a request was served and does not pay, and Redis lost nothing",
            Self::SettlementLost => "a hold was released although its gateway had settled it in time",
            Self::Exposure => "a lost Redis would lose more than the exposure cap",
            Self::Broken => "stream and book do not fit together: the shard stands until somebody looks",
        })
    }
}

/// The first promise that does not hold.
pub fn broken(state: &State, world: &World<'_>) -> Option<Invariant> {
    state
        .broken
        .or_else(|| exposure(state, world))
        .or_else(|| returns(state, world))
        .or_else(|| budget(state, world))
        .or_else(|| drift(state, world))
        .or_else(|| rest(state, world))
}

/// What of the stream is not in the book: events of the book's incarnation.
fn unapplied(state: &State) -> impl Iterator<Item = &crate::state::Event> {
    let image = &state.redis.image;
    let is_its = image.incarnation == state.book.incarnation;
    let from = state.book.applied.map_or(0, |applied| applied + 1);
    (from..=image.meta.sequence).filter(move |_| is_its).filter_map(|sequence| image.event(sequence))
}

fn exposure(state: &State, world: &World<'_>) -> Option<Invariant> {
    let debits = || unapplied(state).filter(|event| event.kind == Kind::Debit);
    let credits: u8 = debits().map(|event| total(event.split)).sum();
    let count = debits().count();
    (credits > world.scope.cap_credits || count > usize::from(world.scope.cap_events)).then_some(Invariant::Exposure)
}

/// What an op costs now: what it drew less what came back, recorded or not.
fn cost(state: &State, op: usize) -> i16 {
    let debit = &state.book.debits[op];
    i16::from(debit.drawn) - i16::from(debit.returned) + unrecorded(state, op)
}

fn returns(state: &State, world: &World<'_>) -> Option<Invariant> {
    (0..usize::from(world.scope.requests)).any(|op| cost(state, op) < 0).then_some(Invariant::GivenBackTwice)
}

fn budget(state: &State, world: &World<'_>) -> Option<Invariant> {
    if world.scope.limit == 0 {
        return None;
    }
    let drawn_at = |op: usize| {
        let event = unapplied(state).find(|event| event.kind == Kind::Debit && usize::from(event.op) == op);
        if state.book.debits[op].is_known { state.book.debits[op].at } else { event.map_or(0, |event| event.at) }
    };
    let drawn = |period: u8| -> i16 {
        let ops = (0..usize::from(world.scope.requests)).filter(|&op| period_of(world, drawn_at(op)) == period);
        ops.map(|op| cost(state, op)).sum()
    };
    let periods = 0..=period_of(world, world.scope.ticks);
    periods.map(drawn).any(|drawn| drawn > i16::from(world.scope.limit)).then_some(Invariant::OverBudget)
}

/// Whether a debit could be drawn now.
fn serves(state: &State, world: &World<'_>) -> bool {
    let image = &state.redis.image;
    let is_stopped = image.account.is_frozen && world.guards.has(Guard::Freeze);
    enter(state, world, Door::Open, image.meta.open) && image.account.is_there && !is_stopped
}

/// Drift = balance + unapplied events + undelivered control rows − book.
fn drift(state: &State, world: &World<'_>) -> Option<Invariant> {
    if !serves(state, world) {
        return None;
    }
    let (account, book) = (&state.redis.image.account, &state.book);
    if state.redis.image.incarnation != book.incarnation {
        return Some(Invariant::Drift);
    }
    if state.redis.image.meta.sequence < book.applied.unwrap_or(0) {
        return Some(Invariant::Drift);
    }
    let mut left = book.remaining.map(i16::from);
    for event in unapplied(state) {
        let sign = match event.kind {
            Kind::Debit => -1,
            Kind::GiveBack | Kind::Settle => 1,
            Kind::Control => match book.row(event.version) {
                Some(row) if row.is_settled => 0,
                Some(row) if matches!(row.kind, RowKind::Reduce | RowKind::Expire) => -1,
                Some(row) if row.kind == RowKind::UndoSettled => 1,
                _ => 0,
            },
            _ => 0,
        };
        for (left, &credits) in left.iter_mut().zip(&event.split) {
            *left += sign * i16::from(credits);
        }
    }
    for (place, row) in (1_u8..).zip(&book.rows) {
        if row.kind == RowKind::Grant && place > account.version && row.is_delivered {
            return Some(Invariant::GrantLost);
        }
        if row.kind == RowKind::Grant && place > account.version {
            left[usize::from(row.of)] = 0;
        }
    }
    let (used, period) = used(state);
    if period == account.period && used != account.used {
        return Some(Invariant::Drift);
    }
    let differs = (0..LOTS).any(|lot| i16::from(account.left[lot]) != left[lot]);
    differs.then_some(Invariant::Drift)
}

/// What of the budget is used, and in which period, once the book has what is on its way.
fn used(state: &State) -> (u8, u8) {
    let (mut used, mut current) = (state.book.used, state.book.period);
    for event in unapplied(state) {
        let row = state.book.row(event.version).filter(|row| event.kind == Kind::Control && !row.is_settled);
        let (credits, period) = match (event.kind, row) {
            (Kind::Control, Some(row)) if row.kind == RowKind::UndoSettled => (total(row.split), row.period),
            (Kind::Debit | Kind::GiveBack | Kind::Settle, _) => (total(event.split) + event.lapsed, event.period),
            _ => continue,
        };
        if event.kind == Kind::Debit && period > current {
            (used, current) = (credits, period);
        } else if event.kind == Kind::Debit && period == current {
            used += credits;
        } else if period == current {
            used = used.saturating_sub(credits);
        }
    }
    (used, current)
}

/// Whether nothing is on its way any more.
fn is_at_rest(state: &State, world: &World<'_>) -> bool {
    let owner = &state.owners[usize::from(state.book.owner)];
    let is_open = |op: usize| {
        let gateway = state.ops[op].gateway;
        matches!(
            gateway,
            Gateway::Waiting | Gateway::Unknown | Gateway::Drawn | Gateway::GivingBack | Gateway::Settling
        ) || may_ask_again(state, world, op)
            || state.book.debits[op].hold_until > 0
    };
    owner.at == At::Serving
        && owner.link
        && owner.batch.count == 0
        && state.late.count == 0
        && serves(state, world)
        && !state.redis.image.account.is_frozen
        && state.book.applied == Some(state.redis.image.meta.sequence)
        && state.book.undelivered().next().is_none()
        && !(0..usize::from(world.scope.requests)).any(is_open)
}

fn rest(state: &State, world: &World<'_>) -> Option<Invariant> {
    if !is_at_rest(state, world) {
        return None;
    }
    let has_lost = state.spent.crashes > 0;
    let price = i16::from(world.scope.price);
    for op in 0..usize::from(world.scope.requests) {
        let cost = cost(state, op);
        let (least, most) = match state.ops[op].gateway {
            Gateway::Kept => (price, price),
            Gateway::Settled => (i16::from(SETTLED), i16::from(SETTLED)),
            Gateway::ToldClosed => (0, i16::from(SETTLED)),
            Gateway::Died => (0, price),
            _ => (0, 0),
        };
        if cost > most {
            return Some(if most > 0 { Invariant::ChargedTwice } else { Invariant::Unreturned });
        }
        if cost < least && !has_lost {
            return Some(Invariant::ServedFree);
        }
    }
    None
}
