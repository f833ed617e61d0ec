//! What live state should be: the book, and the events that are not in it yet.

use std::collections::BTreeMap;

use metering::live::Snapshot;
use metering::{
    Body, Change, ControlKind, Credits, Draw, Event, LotId, LotImage, SessionVersions, Status, TimeMs, lots,
};

use super::Drift;
use super::key_counts::KeyCounts;
use crate::budget::BudgetCount;
use crate::{Balance, PendingChange};

/// A lot as it should be. Times are `None` where a move of the expiry is on its way.
#[derive(Debug, Clone, Copy)]
struct Lot {
    credits: i64,
    granted_at: TimeMs,
    expires_at: Option<TimeMs>,
}

#[derive(Debug)]
pub(super) struct Expected<'a> {
    book: &'a Balance,
    lots: BTreeMap<LotId, Lot>,
    /// Lots whose grant live state does not have yet.
    lots_ahead: Vec<Lot>,
    budget: BudgetCount,
    undos: i64,
    key_counts: KeyCounts,
    /// Changes that live state does not have yet.
    ahead: Vec<&'a PendingChange>,
}

/// Why there is nothing to expect.
pub(super) enum Stop {
    Unsure(&'static str),
    Drift(Drift),
}

impl<'a> Expected<'a> {
    pub(super) fn of(book: &'a Balance, live: &Snapshot, events: &[Event]) -> Result<Self, Stop> {
        if live.control_version > book.control_version {
            return Err(Stop::Unsure("it was changed meanwhile"));
        }
        let ahead: Vec<&PendingChange> =
            book.pending.iter().filter(|pending| pending.version > live.control_version).collect();
        let on_their_way = u64::try_from(ahead.len()).unwrap_or(u64::MAX); // always fits
        if live.control_version.checked_add(on_their_way) != Some(book.control_version) {
            let (book, live) = (book.control_version.to_string(), live.control_version.to_string());
            return Err(Stop::Drift(Drift::Field { field: "control_version", book, live }));
        }
        if ahead.iter().any(|pending| pending.settled) {
            return Err(Stop::Unsure("it is being installed anew"));
        }
        // Undos that are decided count until live state hears of it, which is an event that is not in the book yet.
        let undos = book.open_undos.len().saturating_add(counted_undos(&book.pending).count());
        let (lots, lots_ahead) = lots_of(book, live, &ahead);
        let mut expected = Self {
            book,
            lots,
            lots_ahead,
            budget: BudgetCount { used: book.budget_used, period_end: book.budget_period_end },
            undos: i64::try_from(undos).unwrap_or(i64::MAX), // always fits
            key_counts: KeyCounts::of(book),
            ahead,
        };
        expected.follow(live, events)?;
        Ok(expected)
    }

    /// Applies the events that lie between the book and the snapshot.
    fn follow(&mut self, live: &Snapshot, events: &[Event]) -> Result<(), Stop> {
        let mut seq = self.book.seq;
        for event in events.iter().filter(|event| event.body.account() == Some(self.book.account)) {
            if let Body::Installed { seq: installed, control_version, .. } = event.body {
                if installed != self.book.seq || seq != self.book.seq {
                    return Err(Stop::Unsure("it was installed anew meanwhile"));
                }
                self.include_installed(control_version);
                continue;
            }
            let Some(next) = event.body.seq() else { continue };
            if next <= self.book.seq || next > live.seq {
                continue;
            }
            seq = seq.saturating_add(1);
            if next != seq {
                let (book, live) = (seq.to_string(), next.to_string());
                return Err(Stop::Drift(Drift::Field { field: "event", book, live }));
            }
            self.apply(event);
        }
        if seq == live.seq { Ok(()) } else { Err(Stop::Unsure("its events moved on meanwhile")) }
    }

    /// An install tells live state everything up to its version, and has no event for each.
    fn include_installed(&mut self, version: u64) {
        let told = counted_undos(&self.book.pending).filter(|pending| pending.version <= version).count();
        self.undos = self.undos.saturating_sub(i64::try_from(told).unwrap_or(i64::MAX)); // always fits
    }

    fn apply(&mut self, event: &Event) {
        match &event.body {
            Body::Debit { credits, split, period_end, key, .. } => {
                self.move_lots(split, -1);
                self.key_counts.draw(*key, event.at, *period_end, *credits);
                let _ = self.budget.draw(*credits, *period_end); // a sum that can't be counted shows as a difference
            }
            Body::GiveBack { returned, lapsed, period_end, key, debited_at, .. } => {
                self.move_lots(returned, 1);
                let credits = total(returned).saturating_add(total(lapsed));
                let credits = Credits::new(credits).unwrap_or(Credits::MAX);
                self.budget.lower(credits, *period_end);
                self.key_counts.lower(*key, *debited_at, *period_end, credits);
            }
            Body::Undo { .. } => self.undos = self.undos.saturating_add(1),
            Body::Control { row, change, returned, taken, .. } if change.moves_credits() => {
                let Some(pending) = self.book.pending.iter().find(|pending| pending.row == *row) else { return };
                if !pending.settled {
                    self.move_lots(taken, -1);
                    self.move_lots(returned, 1);
                }
                if let Change::UndoSettled { split, period_end, counted, key, debited_at, .. } = &pending.change {
                    let credits = Credits::new(total(split)).unwrap_or(Credits::MAX);
                    if !pending.settled {
                        self.budget.lower(credits, *period_end);
                        self.key_counts.lower(*key, *debited_at, *period_end, credits);
                    }
                    self.undos = self.undos.saturating_sub(i64::from(*counted));
                }
            }
            Body::Opened
            | Body::Installed { .. }
            | Body::Confirm { .. }
            | Body::Extend { .. }
            | Body::Control { .. } => {}
        }
    }

    /// A lot that the book has no more, because it was swept empty, begins at nothing.
    fn move_lots(&mut self, split: &[Draw], sign: i64) {
        for draw in split {
            let gone = Lot { credits: 0, granted_at: TimeMs::EPOCH, expires_at: None };
            let lot = self.lots.entry(draw.lot).or_insert(gone);
            lot.credits = lot.credits.saturating_add(i64::from(draw.credits).saturating_mul(sign));
        }
    }

    pub(super) fn differences(&self, live: &Snapshot) -> Vec<Drift> {
        let mut found = Vec::new();
        let live_lots: BTreeMap<LotId, &LotImage> = live.lots.iter().map(|lot| (lot.lot, lot)).collect();
        for (&lot, expected) in &self.lots {
            let there = live_lots.get(&lot).copied();
            compare_lot(&mut found, lot, expected, there);
        }
        for (&lot, there) in
            live_lots.iter().filter(|(lot, there)| !self.lots.contains_key(lot) && !there.remaining.is_zero())
        {
            found.push(Drift::Lot { lot, book: Credits::ZERO, live: there.remaining });
        }
        let mut field = |field, book: String, live: String| {
            if book != live {
                found.push(Drift::Field { field, book, live });
            }
        };
        if !self.is_on_its_way(ControlKind::StatusSet) {
            field("status", word(self.book.status), word(live.status));
        }
        if !self.is_on_its_way(ControlKind::BudgetSet) {
            field("budget_limit", self.book.budget_limit.to_string(), live.budget_limit.to_string());
        }
        if !self.is_on_its_way(ControlKind::SessionsEnded) {
            field("sessions", sessions(&self.book.sessions), sessions(&live.sessions));
        }
        let budget = |used: Credits, period_end: TimeMs| format!("{used} until {period_end}");
        let (expected, there) = (self.budget, budget(live.budget_used, live.budget_period_end));
        // The period turns by a debit; a live period without one may be of its very first look.
        if !(expected.used.is_zero() && live.budget_used.is_zero()) {
            field("budget_used", budget(expected.used, expected.period_end), there);
        }
        if !self.is_on_its_way(ControlKind::KeyCapped) {
            let live = KeyCounts::live(live);
            let expected = self.key_counts.at(&live);
            field("key_counts", format!("{expected:?}"), format!("{:?}", live.counts));
        }
        field("undos", self.undos.to_string(), live.undos.to_string());
        if live.at < live.next_change && live.drawable_at(live.at) != Some(live.cached_total) {
            let counted = live.drawable_at(live.at).map_or_else(|| "uncountable".to_owned(), |sum| sum.to_string());
            field("remaining", counted, live.cached_total.to_string());
        }
        found
    }

    /// What the lots hold that can be drawn at an instant, those included that live state does not have yet.
    pub(super) fn drawable_at(&self, now: TimeMs) -> Credits {
        let lots = self.lots.values().chain(&self.lots_ahead);
        let live = lots.filter(|lot| lot.granted_at <= now && lot.expires_at.is_none_or(|end| now < end));
        let sum = live.fold(0_u64, |sum, lot| sum.saturating_add(u64::try_from(lot.credits).unwrap_or(0)));
        Credits::new(sum).unwrap_or(Credits::MAX)
    }

    fn is_on_its_way(&self, kind: ControlKind) -> bool {
        self.ahead.iter().any(|pending| pending.change.kind() == kind)
    }
}

/// Decisions about undos that live state counts as pending.
fn counted_undos(pending: &[PendingChange]) -> impl Iterator<Item = &PendingChange> {
    pending.iter().filter(|pending| matches!(pending.change, Change::UndoSettled { counted: true, .. }))
}

/// The lots whose grant live state has, and those whose grant is on its way. An expiry that is being moved is not compared.
fn lots_of(book: &Balance, live: &Snapshot, ahead: &[&PendingChange]) -> (BTreeMap<LotId, Lot>, Vec<Lot>) {
    let moving = |lot: LotId| {
        ahead.iter().any(|pending| matches!(pending.change, Change::LotExpiryMoved { lot: moved, .. } if moved == lot))
    };
    let (mut there, mut on_their_way) = (BTreeMap::new(), Vec::new());
    for lot in &book.lots {
        let expires_at = (!moving(lot.lot)).then_some(lot.expires_at);
        let expected = Lot { credits: lot.remaining.into(), granted_at: lot.granted_at, expires_at };
        if lot.granted_by <= live.control_version {
            there.insert(lot.lot, expected);
        } else {
            on_their_way.push(expected);
        }
    }
    (there, on_their_way)
}

fn compare_lot(found: &mut Vec<Drift>, lot: LotId, expected: &Lot, there: Option<&LotImage>) {
    let live = there.map_or(Credits::ZERO, |there| there.remaining);
    match Credits::try_from(expected.credits) {
        Ok(book) if book == live => {}
        Ok(book) => found.push(Drift::Lot { lot, book, live }),
        Err(_) => found.push(Drift::Field { field: "lot", book: expected.credits.to_string(), live: live.to_string() }),
    }
    let (Some(there), Some(expires_at)) = (there, expected.expires_at) else { return };
    if (there.granted_at, there.expires_at) != (expected.granted_at, expires_at) {
        let span = |from: TimeMs, to: TimeMs| format!("{from} to {to}");
        let (book, live) = (span(expected.granted_at, expires_at), span(there.granted_at, there.expires_at));
        found.push(Drift::Field { field: "lot_life", book: format!("{lot}: {book}"), live: format!("{lot}: {live}") });
    }
}

fn total(split: &[Draw]) -> u64 {
    lots::total(split).unwrap_or(Credits::MAX).get()
}

/// Live state names persons by digest, so this does.
fn sessions(versions: &SessionVersions) -> String {
    let subjects = versions.subjects.iter().map(|(subject, version)| format!(", {subject} from {version}"));
    format!("good from version {}{}", versions.everybody, subjects.collect::<String>())
}

fn word(status: Status) -> String {
    status.as_str().to_owned()
}
