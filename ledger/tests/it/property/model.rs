//! The model: live state of one account in plain Rust, by the rules of DESIGN and RELIABILITY, not by the scripts.

use std::collections::{BTreeMap, HashSet};

use metering::live::Snapshot;
use metering::{
    AccountId, AccountImage, Change, Credits, Draw, LotId, LotImage, OpId, SessionVersions, Split, Status, TimeMs,
};

use crate::actors::{credits, period_end};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    pub left: u64,
    pub granted: TimeMs,
    pub expires: TimeMs,
}

/// A debit that live state of this incarnation has drawn.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub op: OpId,
    pub split: Split,
    pub period_end: TimeMs,
    pub at: TimeMs,
    pub incarnation: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Live {
    pub lots: BTreeMap<LotId, Lot>,
    pub used: u64,
    pub period_end: TimeMs,
    pub undos: u64,
    pub version: u64,
    pub closed: HashSet<OpId>,
}

impl Live {
    pub fn of(image: &AccountImage) -> Self {
        let lot = |lot: &metering::LotImage| {
            (lot.lot, Lot { left: lot.remaining.get(), granted: lot.granted_at, expires: lot.expires_at })
        };
        Self {
            lots: image.lots.iter().map(lot).collect(),
            used: image.budget_used.get(),
            period_end: image.budget_period_end,
            undos: image.open_undos.len() as u64,
            version: image.control_version,
            closed: image.open_undos.iter().copied().collect(),
        }
    }

    /// What a look at live state would see.
    pub fn snapshot(&self, account: AccountId, seq: u64, at: TimeMs) -> Snapshot {
        let lots = self.lots.iter().map(|(&lot, found)| LotImage {
            lot,
            remaining: credits(found.left),
            granted_at: found.granted,
            expires_at: found.expires,
        });
        Snapshot {
            account,
            at,
            seq,
            control_version: self.version,
            control_row: 0,
            status: Status::Active,
            budget_limit: Credits::ZERO,
            budget_used: credits(self.used),
            budget_period_end: self.period_end,
            frozen: false,
            undos: self.undos,
            cached_total: Credits::ZERO,
            next_change: at,
            key_counts: vec![],
            sessions: SessionVersions::default(),
            lots: lots.collect(),
        }
    }

    /// What can be drawn at an instant.
    pub fn drawable(&self, now: TimeMs) -> u64 {
        self.lots.values().filter(|lot| lot.granted <= now && now < lot.expires).map(|lot| lot.left).sum()
    }

    /// What is used in the budget period of an instant.
    pub fn used_at(&self, now: TimeMs) -> u64 {
        if now < self.period_end { self.used } else { 0 }
    }

    /// Draws earliest expiry first; `None` when there is not enough.
    pub fn draw(&mut self, price: u64, now: TimeMs) -> Option<Split> {
        let mut eligible: Vec<(LotId, Lot)> = self.lots.iter().map(|(id, lot)| (*id, *lot)).collect();
        eligible.retain(|(_, lot)| lot.left > 0 && lot.granted <= now && now < lot.expires);
        eligible.sort_by_key(|(id, lot)| (lot.expires, lot.granted, *id));
        if eligible.iter().map(|(_, lot)| lot.left).sum::<u64>() < price {
            return None;
        }
        let (mut due, mut split) = (price, Split::new());
        for (id, lot) in eligible {
            let part = lot.left.min(due);
            if part == 0 {
                break;
            }
            self.lots.get_mut(&id).unwrap().left -= part;
            split.push(Draw { lot: id, credits: credits(part) });
            due -= part;
        }
        if now >= self.period_end {
            (self.used, self.period_end) = (0, period_end(now));
        }
        self.used += price;
        Some(split)
    }

    /// Returns to lots that live; what lapses is the second.
    pub fn put_back(&mut self, split: &Split, period: TimeMs, now: TimeMs) -> (Split, Split) {
        let (returned, lapsed): (Split, Split) =
            split.iter().copied().partition(|draw| self.lots.get(&draw.lot).is_some_and(|lot| now < lot.expires));
        for draw in &returned {
            self.lots.get_mut(&draw.lot).unwrap().left += draw.credits.get();
        }
        if period == self.period_end {
            self.used = self.used.saturating_sub(split.iter().map(|draw| draw.credits.get()).sum());
        }
        (returned, lapsed)
    }

    /// Applies a change; what it returned, lapsed and took.
    pub fn apply(&mut self, change: &Change, version: u64, now: TimeMs) -> (Split, Split, Split) {
        assert_eq!(version, self.version + 1, "changes of an account come in order");
        self.version = version;
        match change {
            Change::LotGranted { lot, credits, granted_at, expires_at } => {
                let granted = Lot { left: credits.get(), granted: *granted_at, expires: *expires_at };
                assert_eq!(self.lots.insert(*lot, granted), None, "a lot is granted once");
            }
            Change::LotExpiryMoved { lot, expires_at } => {
                if let Some(lot) = self.lots.get_mut(lot) {
                    lot.expires = *expires_at;
                }
            }
            Change::LotReduced { lot, credits } => return (vec![], vec![], self.take(*lot, credits.get())),
            Change::LotExpired { lot } => {
                let taken = self.take(*lot, u64::MAX);
                assert!(self.lots.remove(lot).is_none_or(|lot| lot.expires <= now), "a lot is swept past its expiry");
                return (vec![], vec![], taken);
            }
            Change::UndoSettled { split, period_end, counted, .. } => {
                let (returned, lapsed) = self.put_back(split, *period_end, now);
                self.undos -= u64::from(*counted);
                return (returned, lapsed, vec![]);
            }
            Change::AccountCreated { .. }
            | Change::StatusSet { .. }
            | Change::BudgetSet { .. }
            | Change::KeyRevoked { .. }
            | Change::SessionsEnded { .. }
            | Change::RebuildAsked
            | Change::KeyCapped { .. } => {}
        }
        (vec![], vec![], vec![])
    }

    fn take(&mut self, lot: LotId, most: u64) -> Split {
        let Some(found) = self.lots.get_mut(&lot).filter(|found| found.left > 0) else { return vec![] };
        let taken = found.left.min(most);
        found.left -= taken;
        vec![Draw { lot, credits: credits(taken) }]
    }
}
