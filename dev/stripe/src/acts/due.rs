//! What falls due as the clock goes on: renewals, ends of trials, retries, sessions that expire.

use serde_json::{Value, json};

use super::subscribe::TRIAL_WARNING_S;
use super::{bill, checkout, renew, subscribe};
use crate::api::error::ApiError;
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::{number, text};

/// A first invoice that nobody pays ends its subscription after this long.
const INCOMPLETE_S: i64 = 23 * 3_600;
/// A clock that is moved by more than this many renewals was moved by mistake.
const STEPS_MAX: usize = 20_000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    WarnOfTrialEnd,
    Retry,
    Renew,
    ExpireSubscription,
    ExpireSession,
}

/// Does all that falls due until `instant`, each at its own time, and moves the clock there.
pub fn advance(world: &mut World, instant: i64) -> Result<Value, ApiError> {
    if instant < world.now() {
        return Err(ApiError::invalid("The clock only moves forward."));
    }
    let done = settle(world, instant)?;
    world.clock.move_to(instant);
    Ok(json!({ "now": world.now(), "done": done }))
}

/// Does what is due until `instant` without moving the clock.
pub fn settle(world: &mut World, instant: i64) -> Result<usize, ApiError> {
    for done in 0..STEPS_MAX {
        let Some((at, step, id)) = earliest(world).filter(|(at, ..)| *at <= instant) else {
            return Ok(done);
        };
        world.clock.stop_at(at.max(world.now()));
        let result = take(world, step, &id);
        world.clock.go_on();
        result?;
    }
    Err(ApiError::invalid(format!("More than {STEPS_MAX} things fall due: move the clock by less.")))
}

fn take(world: &mut World, step: Step, id: &str) -> Result<(), ApiError> {
    match step {
        Step::WarnOfTrialEnd => subscribe::warn_of_trial_end(world, id),
        Step::Retry => renew::retry(world, id, false).map(|_| ()),
        Step::Renew => renew::renew(world, id),
        Step::ExpireSubscription => expire_subscription(world, id),
        Step::ExpireSession => checkout::expire(world, id).map(|_| ()),
    }
}

fn expire_subscription(world: &mut World, id: &str) -> Result<(), ApiError> {
    for invoice in subscribe::open_invoices(world, id) {
        bill::void(world, &invoice)?;
    }
    subscribe::set_status(world, id, "incomplete_expired")
}

fn earliest(world: &World) -> Option<(i64, Step, String)> {
    let sessions = world.shelves.all(Kind::Session).filter(|session| session["status"] == "open");
    let sessions = sessions.map(|session| (number(session, "/expires_at"), Step::ExpireSession, session));
    let invoices = world.shelves.all(Kind::Invoice).filter(|invoice| invoice["status"] == "open");
    let invoices =
        invoices.filter_map(|invoice| Some((invoice["next_payment_attempt"].as_i64()?, Step::Retry, invoice)));
    let subscriptions = world.shelves.all(Kind::Subscription);
    let subscriptions =
        subscriptions.filter_map(|subscription| next_of(subscription).map(|(at, step)| (at, step, subscription)));
    let first = sessions.chain(invoices).chain(subscriptions).min_by_key(|(at, step, _)| (*at, *step))?;
    Some((first.0, first.1, text(first.2, "/id").to_owned()))
}

fn next_of(subscription: &Value) -> Option<(i64, Step)> {
    let end = subscribe::period(subscription).1;
    match text(subscription, "/status") {
        "trialing" if subscription["trial_end_told"] != true => Some((end - TRIAL_WARNING_S, Step::WarnOfTrialEnd)),
        "trialing" | "active" | "past_due" | "unpaid" => Some((end, Step::Renew)),
        "incomplete" => Some((number(subscription, "/created") + INCOMPLETE_S, Step::ExpireSubscription)),
        _ => None,
    }
}
