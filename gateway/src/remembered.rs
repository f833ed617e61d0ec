//! What live state has told, remembered while changes of it are heard.
//!
//! Changes are pushed. While they can't be heard, everything is stale: it is read anew, and what was known before is only good for
//! whoever can do without the truth. A look-up in flight is shared by all who wait for the same.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::future::Cache;
use moka::ops::compute::{CompResult, Op};

/// Whether changes are heard. Odd while they are; raised when the subscription is won and when it is lost.
#[derive(Clone, Default)]
pub struct Hearing(Arc<AtomicU64>);

impl Hearing {
    pub fn set(&self, hears: bool) {
        let before = self.state();
        if (before % 2 == 1) != hears {
            self.0.store(before + 1, Ordering::Release);
        }
    }

    fn state(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// What was asked at `read_at`, while hearing was in this state, and answered at `answered_at`.
#[derive(Clone)]
struct Entry<V> {
    value: V,
    fresh: Duration,
    read_at: Instant,
    answered_at: Instant,
    hearing: u64,
}

/// What is remembered of a key.
pub enum Known<V> {
    Fresh(V),
    /// It was so, and may have changed.
    Stale(V),
    Nothing,
}

#[derive(Clone)]
pub struct Remembered<K, V> {
    entries: Cache<K, Entry<V>>,
    hearing: Hearing,
}

impl<K, V> Remembered<K, V>
where
    K: Hash + Eq + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// What was read so long ago as `stale_max` is forgotten.
    pub fn new(hearing: Hearing, entries_max: u64, stale_max: Duration) -> Self {
        Self { entries: Cache::builder().max_capacity(entries_max).time_to_live(stale_max).build(), hearing }
    }

    pub async fn known(&self, key: K) -> Known<V> {
        match self.entries.get(&key).await {
            Some(entry) if self.is_fresh(&entry) => Known::Fresh(entry.value),
            Some(entry) => Known::Stale(entry.value),
            None => Known::Nothing,
        }
    }

    /// Asks; of several at once for one key the first asks and the others find its entry. The answer holds for as long as it says.
    /// `None`: there is no entry where one must be.
    pub async fn read<E>(
        &self,
        key: K,
        ask: impl Future<Output = Result<(V, Duration), E>> + Send,
    ) -> Result<Option<V>, E>
    where
        E: Send + Sync + 'static,
    {
        let asked_at = Instant::now();
        let entry = self.entries.entry(key);
        let result = entry.and_try_compute_with(|entry| self.read_unless_read(entry, ask, asked_at)).await?;
        Ok(match result {
            CompResult::Inserted(entry) | CompResult::ReplacedWith(entry) | CompResult::Unchanged(entry) => {
                Some(entry.into_value().value)
            }
            CompResult::StillNone(_) | CompResult::Removed(_) => None,
        })
    }

    /// Forgets a key, after a look-up in flight if there is one: it may have read what has just changed.
    pub async fn forget(&self, key: K) {
        self.entries.entry(key).and_compute_with(|_| std::future::ready(Op::Remove)).await;
    }

    /// Entries held, for the metrics.
    pub fn len(&self) -> u64 {
        self.entries.entry_count()
    }

    fn is_fresh(&self, entry: &Entry<V>) -> bool {
        let hearing = self.hearing.state();
        hearing % 2 == 1 && entry.hearing == hearing && entry.read_at.elapsed() < entry.fresh
    }

    async fn read_unless_read<E>(
        &self,
        entry: Option<moka::Entry<K, Entry<V>>>,
        ask: impl Future<Output = Result<(V, Duration), E>>,
        asked_at: Instant,
    ) -> Result<Op<Entry<V>>, E> {
        // Somebody else's answer came while this look-up waited for its turn: good enough even when changes can't be heard. One that
        // came just before, but was not to be seen yet, holds like any other.
        if entry.is_some_and(|entry| entry.value().answered_at >= asked_at || self.is_fresh(entry.value())) {
            return Ok(Op::Nop);
        }
        let (read_at, hearing) = (Instant::now(), self.hearing.state());
        let (value, fresh) = ask.await?;
        Ok(Op::Put(Entry { value, fresh, read_at, answered_at: Instant::now(), hearing }))
    }
}
