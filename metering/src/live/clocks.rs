//! What the clocks are known to show, of Redis and of each shard of accounts: a shard is ahead where the clock of its Redis was once set back.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use crate::{Shard, ShardCount, ShardKind, TimeMs};

/// A clock nobody has told of.
const UNKNOWN: i64 = i64::MIN;

/// Each clock is kept by how far it is from the time since `started`, in ms; one word each, so that nobody waits for anybody.
#[derive(Debug)]
pub(super) struct Clocks {
    started: Instant,
    store: AtomicI64,
    shards: OnceLock<Box<[AtomicI64]>>,
}

impl Clocks {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), store: AtomicI64::new(UNKNOWN), shards: OnceLock::new() }
    }

    /// Redis has told its time.
    pub(super) fn learn_store(&self, at: TimeMs) {
        self.store.store(self.offset(at), Ordering::Relaxed);
    }

    /// A script has told the time of its shard. It is that of Redis, too, until Redis is asked for its own.
    pub(super) fn learn_shard(&self, shard: Shard, count: Option<ShardCount>, at: TimeMs) {
        let offset = self.offset(at);
        self.store.compare_exchange(UNKNOWN, offset, Ordering::Relaxed, Ordering::Relaxed).ok(); // known already is as good
        let Some(count) = count.filter(|_| shard.kind == ShardKind::Accounts) else { return };
        let clocks = self.shards.get_or_init(|| (0..count.get()).map(|_| AtomicI64::new(UNKNOWN)).collect());
        if let Some(clock) = clocks.get(usize::from(shard.number)) {
            clock.store(offset, Ordering::Relaxed);
        }
    }

    /// The time in Redis; the epoch while nobody has told it.
    pub(super) fn store_now(&self) -> TimeMs {
        self.shown(self.store.load(Ordering::Relaxed))
    }

    /// The time of a shard: that of Redis, or a later one. Redis may have jumped on since the shard was heard of, so the later one holds.
    pub(super) fn shard_now(&self, shard: Shard) -> TimeMs {
        let clocks = self.shards.get().filter(|_| shard.kind == ShardKind::Accounts);
        let clock = clocks.and_then(|clocks| clocks.get(usize::from(shard.number)));
        let own = clock.map_or(UNKNOWN, |clock| clock.load(Ordering::Relaxed));
        self.shown(self.store.load(Ordering::Relaxed).max(own))
    }

    fn offset(&self, at: TimeMs) -> i64 {
        i64::try_from(at.as_u64()).unwrap_or(i64::MAX).saturating_sub(self.elapsed())
    }

    fn shown(&self, offset: i64) -> TimeMs {
        TimeMs::new(u64::try_from(offset.saturating_add(self.elapsed())).unwrap_or(0))
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: TimeMs = TimeMs::new(1_000_000_000_000);
    const HOUR: u64 = 3_600_000;

    fn near(shown: TimeMs, expected: TimeMs) {
        assert!(shown >= expected && shown.since(expected) < 60_000, "{shown} is not {expected}");
    }

    #[test]
    fn time_goes_on_though_nobody_tells_it_again() {
        let clocks = Clocks::new();
        clocks.learn_store(NOON);
        let started = std::time::Instant::now();
        while clocks.store_now() <= NOON {
            assert!(started.elapsed().as_secs() < 10, "it stands still");
            std::thread::yield_now();
        }
        near(clocks.store_now(), NOON);
    }

    #[test]
    fn a_shard_that_is_ahead_keeps_its_time_and_the_others_follow_redis() {
        let (clocks, count) = (Clocks::new(), Some(ShardCount::new(2).unwrap()));
        let [ahead, other] = [0, 1].map(|number| Shard { kind: ShardKind::Accounts, number });
        assert_eq!(clocks.shard_now(ahead), clocks.store_now());
        clocks.learn_shard(ahead, count, NOON.plus_ms(HOUR));
        near(clocks.store_now(), NOON.plus_ms(HOUR));
        clocks.learn_store(NOON);
        near(clocks.store_now(), NOON);
        near(clocks.shard_now(ahead), NOON.plus_ms(HOUR));
        near(clocks.shard_now(other), NOON);
        clocks.learn_shard(other, count, NOON.plus_ms(2 * HOUR));
        near(clocks.store_now(), NOON);
        clocks.learn_store(NOON.plus_ms(3 * HOUR));
        near(clocks.shard_now(ahead), NOON.plus_ms(3 * HOUR));
        let keys = Shard { kind: ShardKind::Keys, number: 0 };
        clocks.learn_shard(keys, count, NOON.plus_ms(9 * HOUR));
        near(clocks.shard_now(keys), NOON.plus_ms(3 * HOUR));
    }
}
