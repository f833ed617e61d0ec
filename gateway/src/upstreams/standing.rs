//! How a server stands: what it did lately, whether it is left out for it, and what its health checks say.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use config::upstream::{Eject, HealthCheck};

pub struct Standing {
    born: Instant,
    /// Failures in a row of requests.
    failures: AtomicU32,
    /// Milliseconds after `born` until which it is out; 0 = it never was.
    out_until_ms: AtomicU64,
    /// How often it was left out without having been good for long in between.
    times: AtomicU32,
    down: AtomicBool,
    /// Health checks in a row that say otherwise than `down` does.
    dissent: AtomicU32,
}

impl Standing {
    pub fn new(born: Instant) -> Self {
        Self {
            born,
            failures: AtomicU32::new(0),
            out_until_ms: AtomicU64::new(0),
            times: AtomicU32::new(0),
            down: AtomicBool::new(false),
            dissent: AtomicU32::new(0),
        }
    }

    /// Whether it may be sent requests.
    pub fn is_in(&self, now: Instant) -> bool {
        !self.down.load(Ordering::Relaxed) && !self.is_ejected(now)
    }

    pub fn is_ejected(&self, now: Instant) -> bool {
        let until = self.out_until_ms.load(Ordering::Relaxed);
        until != 0 && self.ms(now) < until
    }

    /// A request was served well.
    pub fn good(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// A request failed; answers how many did in a row.
    pub fn bad(&self) -> u32 {
        self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Leaves it out, each time twice as long as before; answers for how long.
    pub fn eject(&self, now: Instant, rule: &Eject) -> Duration {
        let times = self.times.load(Ordering::Relaxed);
        let last = length(rule, times.saturating_sub(1));
        let returned = self.out_until_ms.load(Ordering::Relaxed);
        // Good for as long as it was out before: that one is forgotten.
        let forgotten = self.ms(now) > returned.saturating_add(ms(last));
        let times = if forgotten { 0 } else { times };
        let time = length(rule, times);
        self.times.store(times.saturating_add(1), Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        self.out_until_ms.store(self.ms(now).saturating_add(ms(time)).max(1), Ordering::Relaxed);
        time
    }

    /// Takes what a health check found; answers the new state when it changes.
    pub fn checked(&self, healthy: bool, rule: &HealthCheck) -> Option<bool> {
        let down = self.down.load(Ordering::Relaxed);
        if healthy != down {
            self.dissent.store(0, Ordering::Relaxed);
            return None;
        }
        let dissent = self.dissent.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if dissent < if down { rule.up_after } else { rule.down_after } {
            return None;
        }
        self.dissent.store(0, Ordering::Relaxed);
        self.down.store(!healthy, Ordering::Relaxed);
        Some(healthy)
    }

    fn ms(&self, now: Instant) -> u64 {
        ms(now.saturating_duration_since(self.born))
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn length(rule: &Eject, times: u32) -> Duration {
    rule.min.saturating_mul(1 << times.min(16)).min(rule.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_server_is_out_for_longer_each_time_and_is_forgiven_in_the_end() {
        let rule = Eject { after: 1, min: SECOND, max: 5 * SECOND, percent_max: 50 };
        let mut now = Instant::now();
        let standing = Standing::new(now);
        for seconds in [1, 2, 4, 5, 5] {
            let time = standing.eject(now, &rule);
            assert_eq!(time, seconds * SECOND);
            assert!(!standing.is_in(now) && !standing.is_in(now + time / 2));
            now += time;
            assert!(standing.is_in(now));
        }
        now += 6 * SECOND;
        assert_eq!(standing.eject(now, &rule), SECOND);
    }

    #[test]
    fn only_failures_in_a_row_count() {
        let standing = Standing::new(Instant::now());
        assert_eq!((standing.bad(), standing.bad()), (1, 2));
        standing.good();
        assert_eq!(standing.bad(), 1);
    }

    #[test]
    fn health_checks_must_agree_before_a_server_goes_down_or_up() {
        let rule = HealthCheck { path: None, every: SECOND, timeout: SECOND, down_after: 2, up_after: 3 };
        let standing = Standing::new(Instant::now());
        let told = [false, true, false, false, true, true, false, true, true, true];
        let changes: Vec<_> = told.map(|healthy| standing.checked(healthy, &rule)).into_iter().collect();
        assert_eq!(changes, [None, None, None, Some(false), None, None, None, None, None, Some(true)]);
        assert!(standing.is_in(Instant::now()));
    }
}
