//! What keys with caps have drawn: by the book and the events that are not in it yet, and by live state.

use std::collections::BTreeMap;

use metering::live::Snapshot;
use metering::{Credits, KeyCount, KeyId, TimeMs};

use crate::Balance;

/// Counts by the key they count against, and which keys count against which.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyCounts {
    pub counts: BTreeMap<KeyId, KeyCount>,
    of: BTreeMap<KeyId, KeyId>,
}

impl KeyCounts {
    pub(super) fn of(book: &Balance) -> Self {
        Self { counts: by_key(&book.key_counts), of: book.key_caps.iter().map(|cap| (cap.key, cap.of)).collect() }
    }

    pub(super) fn live(snapshot: &Snapshot) -> Self {
        Self { counts: by_key(&snapshot.key_counts), of: BTreeMap::new() }
    }

    fn find(&mut self, key: Option<KeyId>) -> Option<&mut KeyCount> {
        self.counts.get_mut(self.of.get(&key?)?)
    }

    pub(super) fn draw(&mut self, key: Option<KeyId>, at: TimeMs, period_end: TimeMs, credits: Credits) {
        let Some(count) = self.find(key) else { return };
        if at.day() > count.day {
            (count.day, count.day_used) = (at.day(), Credits::ZERO);
        }
        if period_end > count.period_end {
            (count.period_end, count.period_used) = (period_end, Credits::ZERO);
        }
        count.day_used = count.day_used.checked_add(credits).unwrap_or(Credits::MAX);
        count.period_used = count.period_used.checked_add(credits).unwrap_or(Credits::MAX);
    }

    pub(super) fn lower(&mut self, key: Option<KeyId>, at: TimeMs, period_end: TimeMs, credits: Credits) {
        let Some(count) = self.find(key) else { return };
        if at.day() == count.day {
            count.day_used = count.day_used.saturating_sub(credits);
        }
        if period_end == count.period_end {
            count.period_used = count.period_used.saturating_sub(credits);
        }
    }

    /// The counts as live state would show them: the book counts the account's latest period even for a key that has not drawn in
    /// it, live state the latest in which the key drew.
    pub(super) fn at(&self, live: &Self) -> BTreeMap<KeyId, KeyCount> {
        let mut counts = self.counts.clone();
        for (of, count) in &mut counts {
            let there =
                live.counts.get(of).filter(|there| there.period_end < count.period_end && count.period_used.is_zero());
            if let Some(there) = there {
                (count.period_end, count.period_used) = (there.period_end, there.period_used);
            }
        }
        counts
    }
}

fn by_key(counts: &[KeyCount]) -> BTreeMap<KeyId, KeyCount> {
    counts.iter().map(|count| (count.of, *count)).collect()
}
