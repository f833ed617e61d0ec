//! One request at its gateway: `gateway/src/steps/draw.rs`, `open_debit.rs`, `restitution.rs`, and the command on its way.

use super::Nexts;
use crate::Guard;
use crate::scripts::{self, Answer, Debited, now};
use crate::state::{Gateway, Op, State, World};
use crate::words::{Request, Step};

/// What a hold comes to when its price is known.
pub const SETTLED: u8 = 1;

/// What one request can do next.
pub fn steps(state: &State, world: &World<'_>, op: usize, nexts: &mut Nexts) {
    let asked = state.ops[op];
    if asked.wire > 0 {
        arrive(state, world, op, nexts);
    }
    let mut push = |what, gateway| {
        let mut next = *state;
        next.ops[op].gateway = gateway;
        if gateway == Gateway::Settling {
            next.ops[op].is_in_time = now(state, world) < asked.hold_until;
        }
        nexts.push((Step::Gateway(Request(op), what), next));
    };
    match asked.gateway {
        Gateway::Waiting if state.spent.give_ups < world.scope.give_ups => {
            push("no answer to its debit comes; it is refused and its debit is to be undone", Gateway::Unknown);
            if let Some(last) = nexts.last_mut() {
                last.1.spent.give_ups += 1;
            }
        }
        Gateway::Drawn if world.scope.holds => {
            push("the upstream says the price; the settlement is queued", Gateway::Settling);
        }
        Gateway::Drawn => {
            push("is served, and pays", Gateway::Kept);
            if world.scope.give_backs {
                push("the upstream fails; the give-back is queued", Gateway::GivingBack);
            }
        }
        _ => {}
    }
    match asked.gateway {
        Gateway::Unasked if op == 0 || state.ops[op - 1].gateway != Gateway::Unasked => ask(state, world, op, nexts),
        Gateway::Unknown | Gateway::GivingBack | Gateway::Settling => close(state, world, op, nexts),
        Gateway::Undone | Gateway::GivenBack | Gateway::Settled | Gateway::ToldClosed => {
            ask_again(state, world, op, nexts);
        }
        _ => {}
    }
}

/// Sends a debit under the certification that the head tells.
fn ask(state: &State, world: &World<'_>, op: usize, nexts: &mut Nexts) {
    let image = &state.redis.image;
    if image.certification == 0 || !image.meta.is_there {
        return;
    }
    let mut next = *state;
    next.ops[op] = Op {
        gateway: Gateway::Waiting,
        wire: image.certification,
        wire_incarnation: image.incarnation,
        not_after: now(state, world) + world.scope.life,
        ..Op::default()
    };
    nexts.push((Step::Gateway(Request(op), "asks for its debit"), next));
}

/// The debit reaches Redis, sooner or later.
fn arrive(state: &State, world: &World<'_>, op: usize, nexts: &mut Nexts) {
    let mut next = *state;
    let waits = state.ops[op].gateway == Gateway::Waiting;
    match scripts::debit(&mut next, world, op) {
        Debited::InstalledSoon => {}
        Debited::Uncertified => {
            let image = &state.redis.image;
            if waits && image.certification != state.ops[op].wire && image.certification > 0 {
                let mut next = *state;
                (next.ops[op].wire, next.ops[op].wire_incarnation) = (image.certification, image.incarnation);
                let what = "is told that nothing was written; asks again under the new certification";
                nexts.push((Step::Gateway(Request(op), what), next));
            } else if !waits {
                let mut next = *state;
                next.ops[op].wire = 0;
                nexts.push((Step::Gateway(Request(op), "its late debit is refused: not certified"), next));
            }
        }
        Debited::Refused => {
            let mut next = *state;
            next.ops[op].wire = 0;
            next.ops[op].gateway = if waits { Gateway::Refused } else { state.ops[op].gateway };
            nexts.push((
                Step::Gateway(Request(op), if waits { "is refused" } else { "its late debit is refused" }),
                next,
            ));
        }
        Debited::Drawn => {
            next.ops[op].wire = 0;
            if !waits {
                nexts.push((
                    Step::Gateway(Request(op), "its late debit is drawn, and nobody waits for the answer"),
                    next,
                ));
                return;
            }
            next.ops[op].gateway = Gateway::Drawn;
            next.ops[op].event = next.redis.image.meta.sequence;
            next.ops[op].hold_until = next.redis.image.event(next.ops[op].event).map_or(0, |event| event.until);
            next.ops[op].event_incarnation = next.redis.image.incarnation;
            nexts.push((Step::Gateway(Request(op), "its debit is drawn"), next));
        }
    }
}

/// A give-back, settlement or undo is sent; its answer may be lost, and then it is sent again.
fn close(state: &State, world: &World<'_>, op: usize, nexts: &mut Nexts) {
    let (mut next, certification) = (*state, state.redis.image.certification);
    let gateway = state.ops[op].gateway;
    let (answer, what, over) = match gateway {
        Gateway::Unknown => {
            (scripts::undo(&mut next, world, certification, op), "its debit is undone", Gateway::Undone)
        }
        Gateway::GivingBack => {
            (scripts::give_back(&mut next, world, certification, op), "its debit is given back", Gateway::GivenBack)
        }
        _ => (scripts::settle(&mut next, world, certification, op, SETTLED), "its hold is settled", Gateway::Settled),
    };
    let what = match answer {
        Answer::Deferred => return,
        Answer::Done => what,
        Answer::Undo => "its debit's event is not at hand; it becomes an undo",
        Answer::Closed => "is told that its debit is closed already",
    };
    let mut lost = next;
    next.ops[op].acknowledged = certification;
    let is_told_closed = gateway == Gateway::Settling && answer == Answer::Closed;
    next.ops[op].gateway = if is_told_closed { Gateway::ToldClosed } else { over };
    nexts.push((Step::Gateway(Request(op), what), next));
    if state.spent.lost_answers < world.scope.lost_answers && answer != Answer::Closed {
        lost.spent.lost_answers += 1;
        let what = match gateway {
            Gateway::Unknown => "its debit is undone, but the answer is lost",
            Gateway::GivingBack => "its debit is given back, but the answer is lost",
            _ => "its hold is settled, but the answer is lost",
        };
        nexts.push((Step::Gateway(Request(op), what), lost));
    }
    if gateway == Gateway::Unknown && !world.guards.has(Guard::NoResend) {
        resend(state, world, op, nexts);
    }
}

/// What no gateway does: a debit whose outcome is unknown is sent again under a new incarnation.
fn resend(state: &State, world: &World<'_>, op: usize, nexts: &mut Nexts) {
    if state.redis.image.incarnation == state.ops[op].wire_incarnation {
        return;
    }
    let before = nexts.len();
    ask(state, world, op, nexts);
    for (step, _) in &mut nexts[before..] {
        *step = Step::Gateway(Request(op), "sends its debit again under the new incarnation");
    }
}

/// A give-back or undo that may have been lost with Redis is asked for again: it is kept until it is known to be in the book.
fn ask_again(state: &State, world: &World<'_>, op: usize, nexts: &mut Nexts) {
    if !may_ask_again(state, world, op) {
        return;
    }
    let mut next = *state;
    next.ops[op].gateway = match state.ops[op].gateway {
        Gateway::Undone => Gateway::Unknown,
        Gateway::GivenBack => Gateway::GivingBack,
        _ => Gateway::Settling,
    };
    next.ops[op].is_in_time = false;
    nexts.push((Step::Gateway(Request(op), "the shard was certified anew: what closes its debit is sent again"), next));
}

/// Whether what closed the request is not known to be in the book, and the shard was certified anew since.
pub fn may_ask_again(state: &State, world: &World<'_>, op: usize) -> bool {
    let gateway = state.ops[op].gateway;
    let is_over = matches!(gateway, Gateway::Undone | Gateway::GivenBack | Gateway::Settled | Gateway::ToldClosed);
    let is_known = state.book.debits[op].is_closed || state.book.undos[op].is_asked;
    let certification = state.redis.image.meta.open;
    is_over && !is_known && world.guards.has(Guard::ClosingsKept) && certification > state.ops[op].acknowledged
}
