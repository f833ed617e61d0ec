//! One account: its lots, its period, what changes do to it.

use std::collections::{BTreeMap, BTreeSet};

use metering::{
    AccountId, BudgetAnchor, Change, Draw, KeyId, LotId, SessionSubject, SessionVersions, Split, Status, TimeMs, lots,
};

use super::{Account, Drawing, Lot, credits};

impl Account {
    pub(super) fn new(status: Status, anchor: BudgetAnchor) -> Self {
        let (lots, revoked, closed) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let (holds, ended, gone) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let (open, outcomes) = (BTreeMap::new(), BTreeMap::new());
        let (caps, days, counted, marks) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (seq, version, row, limit, used, period_end) = (0, 1, 0, 0, 0, TimeMs::EPOCH);
        Self {
            seq,
            version,
            row,
            status,
            anchor,
            limit,
            used,
            period_end,
            lots,
            revoked,
            sessions: SessionVersions::default(),
            frozen: false,
            undos: 0,
            closed,
            holds,
            ended,
            gone,
            caps,
            days,
            counted,
            marks,
            open,
            outcomes,
            installed: true,
        }
    }

    /// A period begins by being in it.
    pub(super) fn period(&self, now: TimeMs) -> (u64, TimeMs) {
        if now < self.period_end { (self.used, self.period_end) } else { (0, self.anchor.period_end(now)) }
    }

    /// Half-open, and in burn order: earliest expiry first, then oldest grant, then number.
    fn drawable(&self, now: TimeMs) -> Vec<LotId> {
        let live = |lot: &Lot| lot.left > 0 && lot.granted_at <= now && now < lot.expires_at;
        let mut found: Vec<_> = self.lots.iter().filter(|(_, lot)| live(lot)).collect();
        found.sort_by_key(|(id, lot)| (lot.expires_at, lot.granted_at, **id));
        found.into_iter().map(|(id, _)| *id).collect()
    }

    pub fn used_now(&self, now: TimeMs) -> u64 {
        self.period(now).0
    }

    pub fn remaining(&self, now: TimeMs) -> u64 {
        self.drawable(now).iter().map(|id| self.lots[id].left).sum()
    }

    pub(super) fn take(&mut self, mut price: u64, now: TimeMs) -> Split {
        let mut split = Split::new();
        for id in self.drawable(now) {
            let lot = self.lots.get_mut(&id).unwrap();
            let part = lot.left.min(price);
            if part > 0 {
                split.push(Draw { lot: id, credits: credits(part) });
                (lot.left, price) = (lot.left - part, price - part);
            }
        }
        split
    }

    /// To the lots it came from, unless they are past their expiry; the budget of another period is left alone.
    pub(super) fn put_back(&mut self, of: &Drawing, split: &[Draw], now: TimeMs) -> (u64, u64) {
        let Drawing { op, period_end, root, key, at, .. } = *of;
        let all = lots::total(split).unwrap().get();
        let mut returned = 0;
        for draw in split {
            if let Some(lot) = self.lots.get_mut(&draw.lot).filter(|lot| now < lot.expires_at) {
                lot.left += draw.credits.get();
                returned += draw.credits.get();
            }
        }
        let holds = self.holds.get_mut(&op).expect("only what was drawn is given back");
        *holds = holds.checked_sub(all).expect("no op gets back more than it drew");
        if let Some(root) = root {
            let day = self.days.get_mut(&(root, at.day())).expect("its debit was counted");
            *day = day.checked_sub(all).expect("no day has less than came back");
            if key.is_some_and(|key| self.caps.contains_key(&key)) {
                let counted = self.counted.entry((root, at.day())).or_default();
                *counted = counted.saturating_sub(all);
            }
        }
        if period_end == self.period_end {
            self.used = self.used.saturating_sub(all);
        }
        (returned, all - returned)
    }

    pub fn apply(&mut self, change: &Change, roots: &BTreeMap<KeyId, KeyId>, now: TimeMs) {
        match change {
            Change::AccountCreated { .. } => unreachable!("an account begins once"),
            Change::StatusSet { status } => self.status = *status,
            Change::BudgetSet { limit } => self.limit = limit.get(),
            Change::LotGranted { lot, credits, granted_at, expires_at } => {
                let granted = Lot { left: credits.get(), granted_at: *granted_at, expires_at: *expires_at };
                self.lots.entry(*lot).or_insert(granted);
            }
            Change::LotExpiryMoved { lot, expires_at } => {
                // An empty lot past its expiry is gone for good.
                if let Some(lot) = self.lots.get_mut(lot).filter(|lot| lot.left > 0 || now < lot.expires_at) {
                    lot.expires_at = *expires_at;
                } else {
                    self.gone.insert(*lot);
                }
            }
            Change::LotReduced { lot, credits } => {
                if let Some(lot) = self.lots.get_mut(lot) {
                    lot.left = lot.left.saturating_sub(credits.get());
                }
            }
            Change::LotExpired { lot } => {
                self.lots.remove(lot);
            }
            Change::RebuildAsked => {}
            Change::KeyRevoked { key } => {
                self.revoked.insert(*key);
            }
            Change::KeyCapped { key, caps, .. } => {
                self.caps.insert(*key, *caps);
            }
            Change::SessionsEnded { subject, version } => {
                self.sessions.raise(subject.as_ref().map(SessionSubject::digest), *version);
            }
            Change::UndoSettled { debit_op, split, period_end, counted, key, debited_at } => {
                if !split.is_empty() {
                    let root = key.and_then(|key| roots.get(&key).copied());
                    let (op, period_end, at) = (*debit_op, *period_end, *debited_at);
                    let of = Drawing {
                        account: AccountId::from_uuid(uuid::Uuid::nil()),
                        op,
                        split: vec![],
                        period_end,
                        root,
                        key: *key,
                        at,
                        last_of_call: 0,
                    };
                    self.put_back(&of, split, now);
                }
                self.undos -= u64::from(*counted);
                if *counted && self.closed.get(debit_op) == Some(&None) {
                    self.closed.remove(debit_op);
                }
            }
        }
    }
}
