//! What keys with caps have drawn: by the book and the events that are not in it yet, and by live state.

use std::collections::BTreeMap;

use metering::live::Snapshot;
use metering::{Credits, KeyCount, KeyId, TimeMs};

use crate::Balance;

/// Counts by the key they count against, and which keys count against which.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyCounts {
    pub counts: BTreeMap<KeyId, Count>,
    of: BTreeMap<KeyId, KeyId>,
}

/// What counts, without the instants at which a day or a period was first looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    day: u64,
    day_used: u64,
    period_end: TimeMs,
    period_used: u64,
}

impl From<&KeyCount> for Count {
    fn from(count: &KeyCount) -> Self {
        Self {
            day: count.day,
            day_used: count.day_used.get(),
            period_end: count.period_end,
            period_used: count.period_used.get(),
        }
    }
}

impl KeyCounts {
    pub(super) fn of(book: &Balance) -> Self {
        Self {
            counts: book.key_counts.iter().map(|count| (count.of, count.into())).collect(),
            of: book.key_caps.iter().map(|cap| (cap.key, cap.of)).collect(),
        }
    }

    pub(super) fn live(snapshot: &Snapshot) -> Self {
        Self { counts: snapshot.key_counts.iter().map(|count| (count.of, count.into())).collect(), of: BTreeMap::new() }
    }

    fn find(&mut self, key: Option<KeyId>) -> Option<&mut Count> {
        self.counts.get_mut(self.of.get(&key?)?)
    }

    pub(super) fn draw(&mut self, key: Option<KeyId>, at: TimeMs, period_end: TimeMs, credits: Credits) {
        let Some(count) = self.find(key) else { return };
        if at.day() > count.day {
            (count.day, count.day_used) = (at.day(), 0);
        }
        if period_end > count.period_end {
            (count.period_end, count.period_used) = (period_end, 0);
        }
        count.day_used = count.day_used.saturating_add(credits.get());
        count.period_used = count.period_used.saturating_add(credits.get());
    }

    pub(super) fn lower(&mut self, key: Option<KeyId>, at: TimeMs, period_end: TimeMs, credits: Credits) {
        let Some(count) = self.find(key) else { return };
        if at.day() == count.day {
            count.day_used = count.day_used.saturating_sub(credits.get());
        }
        if period_end == count.period_end {
            count.period_used = count.period_used.saturating_sub(credits.get());
        }
    }

    /// The counts as live state would show them: the book counts the account's latest period even for a key that has not drawn in
    /// it, live state the latest in which the key drew.
    pub(super) fn at(&self, live: &Self) -> BTreeMap<KeyId, Count> {
        let mut counts = self.counts.clone();
        for (of, count) in &mut counts {
            let there =
                live.counts.get(of).filter(|there| there.period_end < count.period_end && count.period_used == 0);
            if let Some(there) = there {
                (count.period_end, count.period_used) = (there.period_end, there.period_used);
            }
        }
        counts
    }
}
