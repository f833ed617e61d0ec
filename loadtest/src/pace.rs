//! Hands calls out when they are due, from a thread of its own: the runtime's timers are a millisecond coarse.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_channel::Sender;

use crate::plan::{Call, Plan};

/// How soon a stop is noticed.
const LOOK: Duration = Duration::from_millis(100);

/// Hands out calls until the plan ends, `until` has come, or `stop` is set. A call that is due when nobody can take it waits in the
/// channel, and the next ones are handed out all the same: that is what an open loop is.
pub fn pace(plan: Plan, began: Instant, until: Instant, calls: &Sender<Call>, stop: &AtomicBool) {
    for call in plan {
        let due = call.due.map_or(began, |due| began + due);
        while let Some(early) = due.checked_duration_since(Instant::now()).filter(|early| !early.is_zero()) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            thread::sleep(early.min(LOOK));
        }
        let over = call.due.is_none() && Instant::now() >= until;
        if over || stop.load(Ordering::Relaxed) || calls.send_blocking(call).is_err() {
            return;
        }
    }
}
