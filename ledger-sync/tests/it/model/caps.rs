//! What a key may draw, and what a repeat of a request is told.

use metering::live::{Debit, Refusal, Repeat};
use metering::{CapPeriod, IdempotencyKey, KeyId, OpId, TimeMs};

use super::{Account, DAY, credits};

impl Account {
    /// One request a key and a day.
    pub(super) fn repeats(&self, ask: &Debit, now: TimeMs) -> Option<Refusal> {
        let under = ask.idempotency?;
        let mark = self.marks.get(&under.key).filter(|mark| now < mark.at.plus_ms(DAY))?;
        let how = if mark.under.fingerprint != under.fingerprint {
            Repeat::Mismatch
        } else if now < mark.under.in_use_until {
            Repeat::InUse
        } else {
            Repeat::Used
        };
        Some(Refusal::Repeated { first: mark.op, how })
    }

    pub(super) fn free(&mut self, under: Option<IdempotencyKey>, op: OpId) {
        if let Some(under) = under
            && self.marks.get(&under).is_some_and(|mark| mark.op == op)
        {
            self.marks.remove(&under);
        }
    }

    /// What live state has counted on a day for keys that count as one.
    pub fn drawn_on(&self, root: KeyId, day: u64) -> u64 {
        self.counted.get(&(root, day)).copied().unwrap_or(0)
    }

    /// What they drew in the budget period that ends there: periods begin at midnight, on the anchor day of the month before.
    pub fn drawn_in(&self, root: KeyId, period_end: TimeMs) -> u64 {
        let days = self
            .counted
            .iter()
            .filter(|((of, day), _)| *of == root && self.anchor.period_end(TimeMs::new(day * DAY)) == period_end);
        days.map(|(_, drawn)| drawn).sum()
    }

    pub(super) fn is_over_a_cap(&self, ask: &Debit, root: Option<KeyId>, now: TimeMs) -> Option<Refusal> {
        let (caps, root, price) = (self.caps.get(&ask.key?)?, root?, ask.credits);
        let (day, (_, period_end)) = (now.day(), self.period(now));
        let tomorrow = TimeMs::new((day + 1) * DAY);
        let both = [
            (CapPeriod::Day, caps.day, self.drawn_on(root, day), tomorrow),
            (CapPeriod::Month, caps.month, self.drawn_in(root, period_end), period_end),
        ];
        let full = both.into_iter().find(|(_, cap, used, _)| cap.is_some_and(|cap| used + price.get() > cap.get()));
        full.map(|(which, cap, used, resets_at)| Refusal::KeyCapExhausted {
            which,
            cap: cap.unwrap(),
            used: credits(used),
            resets_at,
            price,
        })
    }
}
