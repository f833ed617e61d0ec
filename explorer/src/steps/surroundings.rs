//! What happens around: Redis dies, its disk follows, gateways die, the clock goes, operators change something.

use super::Nexts;
use crate::Guard;
use crate::record;
use crate::scripts::{now, period_of};
use crate::state::{Gateway, Image, Op, Redis, RowKind, State, World};
use crate::words::Step;

/// All of it, as far as the scope goes.
pub fn steps(state: &State, world: &World<'_>, nexts: &mut Nexts) {
    let (scope, spent) = (world.scope, state.spent);
    if spent.crashes < scope.crashes {
        crash(state, world, nexts);
    }
    if spent.deaths < scope.deaths {
        die(state, nexts);
    }
    clock(state, world, nexts);
    if spent.rows < scope.rows {
        change(state, world, nexts);
    }
    let account = &state.redis.image.account;
    if !world.guards.has(Guard::PeriodFromTime) && spent.resets < 2 && period_of(world, now(state, world)) > 0 {
        let mut next = *state;
        next.spent.resets += 1;
        let period = period_of(world, now(state, world));
        (next.redis.image.account.used, next.redis.image.account.period) = (0, period);
        (next.book.used, next.book.period) = (0, period);
        if account.is_there {
            nexts.push((Step::World("a job resets what was used of the budget"), next));
        }
    }
}

/// Redis dies and comes back with what is on its disk, or with nothing; its disk follows whenever it likes.
fn crash(state: &State, world: &World<'_>, nexts: &mut Nexts) {
    if state.disk != state.redis.image {
        let mut next = *state;
        next.disk = state.redis.image;
        nexts.push((Step::World("Redis has all on its disk"), next));
    }
    let mut push = |what, image: Image| {
        let mut next = *state;
        next.spent.crashes += 1;
        next.rolled_back |= image != state.redis.image;
        next.redis = Redis { image, scripts: 0 };
        next.disk = if next.spent.crashes < world.scope.crashes { image } else { Image::default() };
        next.seen = image.meta.highest.max(state.book.drained_at);
        next.owners.iter_mut().for_each(|owner| owner.link = false);
        nexts.push((Step::World(what), next));
    };
    let loses = state.disk != state.redis.image;
    push(
        if loses {
            "Redis dies, and comes back without its last writes"
        } else {
            "Redis dies, and comes back with all"
        },
        state.disk,
    );
    if world.scope.empties {
        push("Redis dies, and comes back empty", Image::default());
    }
}

/// The gateway dies: what it had open or queued is gone, what is on the wire stays there.
fn die(state: &State, nexts: &mut Nexts) {
    let mut next = *state;
    for op in &mut next.ops {
        if matches!(
            op.gateway,
            Gateway::Waiting | Gateway::Drawn | Gateway::Unknown | Gateway::GivingBack | Gateway::Settling
        ) {
            *op = Op { gateway: Gateway::Died, ..*op };
        }
    }
    if next != *state {
        next.spent.deaths += 1;
        nexts.push((Step::World("the gateway dies"), next));
    }
}

fn clock(state: &State, world: &World<'_>, nexts: &mut Nexts) {
    let meta = &state.redis.image.meta;
    // Gateways deliver within one tick what they have queued, where the shard is served.
    let serves = meta.open > 0 && state.redis.scripts >> meta.open & 1 == 1 && state.redis.image.account.is_there;
    let waits = world.scope.holds && state.ops.iter().any(|op| op.gateway == Gateway::Settling && op.is_in_time);
    let grace = state.owners.iter().any(|owner| owner.grace_over);
    if state.clock < world.scope.ticks && !(serves && waits && grace) {
        let mut next = *state;
        next.clock += 1;
        nexts.push((Step::World("the clock goes on by one"), next));
    }
    if state.spent.clock_backs < world.scope.clock_backs && state.clock > 0 {
        let mut next = *state;
        next.clock -= 1;
        next.spent.clock_backs += 1;
        nexts.push((Step::World("the clock jumps back by one"), next));
    }
}

/// Operators and payments: rows in the outbox.
fn change(state: &State, world: &World<'_>, nexts: &mut Nexts) {
    let mut push = |what, next: State| {
        let mut next = next;
        next.spent.rows += 1;
        nexts.push((Step::World(what), next));
    };
    if world.scope.grants && !state.book.has(1) {
        let mut next = *state;
        record::grant(&mut next, world);
        push("somebody pays: a lot is granted", next);
    }
    let asked = |kind| state.book.rows.iter().any(|row| row.kind == kind);
    if world.scope.reductions && !asked(RowKind::Reduce) {
        let mut next = *state;
        record::reduce(&mut next);
        push("an operator takes a credit out of the first lot", next);
    }
    if world.scope.caps && !asked(RowKind::Capped) {
        let mut next = *state;
        record::require_install(&mut next);
        push("an operator changes what only an install brings", next);
    }
}
