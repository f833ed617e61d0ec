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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const DAY_MS: u64 = 86_400_000;
    const PERIOD: TimeMs = TimeMs::new(30 * DAY_MS);

    fn key(number: u128) -> KeyId {
        KeyId::from_uuid(Uuid::from_u128(number))
    }

    fn credits(count: u64) -> Credits {
        Credits::new(count).unwrap()
    }

    /// Day 10: 5 on that day, 7 in the period. Key 2 counts against key 1.
    fn counts() -> KeyCounts {
        let count = KeyCount { of: key(1), day: 10, day_used: credits(5), period_end: PERIOD, period_used: credits(7) };
        KeyCounts { counts: by_key(&[count]), of: [1, 2].map(|of| (key(of), key(1))).into() }
    }

    /// Day, drawn on it, end of the period, drawn in it.
    fn told(counts: &KeyCounts) -> (u64, u64, u64, u64) {
        let count = counts.counts[&key(1)];
        (count.day, count.day_used.get(), count.period_end.as_u64() / DAY_MS, count.period_used.get())
    }

    #[test]
    fn a_draw_begins_a_later_day_and_a_later_period_anew_and_counts_earlier_ones_where_it_is() {
        let at = |day: u64, period: u64| {
            let mut counts = counts();
            counts.draw(Some(key(2)), TimeMs::new(day * DAY_MS), TimeMs::new(period * DAY_MS), credits(3));
            counts.draw(Some(key(3)), TimeMs::new(day * DAY_MS), PERIOD, credits(1)); // of nobody
            told(&counts)
        };
        assert_eq!(at(10, 30), (10, 8, 30, 10));
        assert_eq!(at(11, 30), (11, 3, 30, 10));
        assert_eq!(at(40, 60), (40, 3, 60, 3));
        assert_eq!(at(9, 29), (10, 8, 30, 10), "its clock never goes back");
    }

    #[test]
    fn what_comes_back_lowers_the_day_and_the_period_of_its_debit_while_they_last() {
        let after = |day: u64, period: u64| {
            let mut counts = counts();
            counts.lower(Some(key(2)), TimeMs::new(day * DAY_MS), TimeMs::new(period * DAY_MS), credits(4));
            told(&counts)
        };
        assert_eq!(after(10, 30), (10, 1, 30, 3));
        assert_eq!(after(9, 30), (10, 5, 30, 3));
        assert_eq!(after(10, 29), (10, 1, 30, 7));
    }

    #[test]
    fn an_older_period_of_live_state_is_taken_only_where_the_key_has_not_drawn_since() {
        let shown = |live_period: u64, drawn: u64| {
            let mut book = counts();
            book.counts.get_mut(&key(1)).unwrap().period_used = credits(drawn);
            let mut live = counts();
            let there = live.counts.get_mut(&key(1)).unwrap();
            (there.period_end, there.period_used) = (TimeMs::new(live_period * DAY_MS), credits(9));
            let count = book.at(&live)[&key(1)];
            (count.period_end.as_u64() / DAY_MS, count.period_used.get())
        };
        assert_eq!(shown(29, 0), (29, 9));
        assert_eq!(shown(29, 2), (30, 2), "what was drawn since must show there, too");
        assert_eq!(shown(30, 0), (30, 0));
        assert_eq!(shown(31, 0), (30, 0), "a later one is a difference");
    }
}
