//! The rules of live balances, said as plainly as they can be: what every answer of the scripts must be.

mod account;
mod caps;
mod deadlines;

use std::collections::{BTreeMap, BTreeSet};

use metering::live::owner::{ControlOutcome, ControlRow, InstallOutcome};
use metering::live::{
    BudgetView, Debit, DebitOutcome, Drawn, GiveBack, GiveBackOutcome, Refusal, Settle, SettleOutcome, Undo,
    UndoOutcome,
};
use metering::{
    AccountId, AccountImage, BudgetAnchor, Change, Credits, EventId, IdempotencyKey, IdempotencyMark, KeyCaps, KeyId,
    LotId, OpId, RequestOutcome, SessionVersions, Split, Status, TimeMs, lots,
};

pub const DAY: u64 = 86_400_000;

/// One shard. Whatever changes an account is an event: it raises the shard's sequence and the account's own.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub incarnation: u64,
    pub sequence: u64,
    pub now: TimeMs,
    pub accounts: BTreeMap<AccountId, Account>,
    /// Debits whose events are still in the stream.
    pub stream: BTreeMap<u64, Drawing>,
    /// Against which key each key counts.
    pub roots: BTreeMap<KeyId, KeyId>,
}

#[derive(Debug, Clone)]
pub struct Drawing {
    account: AccountId,
    op: OpId,
    split: Split,
    period_end: TimeMs,
    /// The key against which it counts.
    root: Option<KeyId>,
    key: Option<KeyId>,
    at: TimeMs,
    /// Sequence of the last event of the call that made it.
    last_of_call: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    pub left: u64,
    pub granted_at: TimeMs,
    pub expires_at: TimeMs,
}

#[derive(Debug, Clone)]
pub struct Account {
    pub seq: u64,
    pub version: u64,
    pub row: u64,
    pub status: Status,
    pub anchor: BudgetAnchor,
    pub limit: u64,
    pub used: u64,
    pub period_end: TimeMs,
    pub lots: BTreeMap<LotId, Lot>,
    pub revoked: BTreeSet<KeyId>,
    pub sessions: SessionVersions,
    pub frozen: bool,
    /// Undos that the book has not settled.
    pub undos: u64,
    /// Ops that were given back or undone, with the event that says so; `None` where an install brought the mark.
    pub closed: BTreeMap<OpId, Option<u64>>,
    /// What each op holds: drawn, less given back.
    pub holds: BTreeMap<OpId, u64>,
    /// Ops that were ever given back, undone or settled, and what of each stays drawn.
    pub ended: BTreeMap<OpId, u64>,
    /// Lots that live state no longer has although the book has moved their expiry on.
    pub gone: BTreeSet<LotId>,
    /// Keys that may draw only so much.
    pub caps: BTreeMap<KeyId, KeyCaps>,
    /// What keys that count as one have drawn, by the day of the debit: of all keys, with caps or without.
    pub days: BTreeMap<(KeyId, u64), u64>,
    /// The same as live state counts it: what a key draws before live state knows that it counts is missing until the next install.
    pub counted: BTreeMap<(KeyId, u64), u64>,
    pub marks: BTreeMap<IdempotencyKey, IdempotencyMark>,
    /// Debits with a deadline that nothing has ended, and until when.
    pub open: BTreeMap<OpId, TimeMs>,
    /// How requests with a deadline ended; `None` = nobody said so in time.
    pub outcomes: BTreeMap<OpId, Option<RequestOutcome>>,
    /// Not since Redis was lost.
    pub installed: bool,
}

fn credits(count: u64) -> Credits {
    Credits::new(count).unwrap()
}

impl Model {
    /// Debits of one call.
    pub fn debits(&mut self, asks: &[Debit]) -> Vec<DebitOutcome> {
        let before = self.sequence;
        let outcomes = asks
            .iter()
            .map(|ask| match self.draw(ask) {
                Ok(drawn) => DebitOutcome::Drawn(drawn),
                Err(refusal) => DebitOutcome::Refused(refusal),
            })
            .collect();
        for (_, drawing) in self.stream.range_mut(before + 1..) {
            drawing.last_of_call = self.sequence;
        }
        outcomes
    }

    fn draw(&mut self, ask: &Debit) -> Result<Drawn, Refusal> {
        let (now, price) = (self.now, ask.credits.get());
        let root = ask.key.and_then(|key| self.roots.get(&key).copied());
        let account = self.accounts.get_mut(&ask.account).ok_or(Refusal::Installing)?;
        let (used, period_end) = account.period(now);
        let resets_at = period_end;
        let budget = |used| BudgetView { limit: credits(account.limit), used: credits(used), resets_at };
        let remaining = account.remaining(now);
        if account.frozen {
            return Err(Refusal::Frozen);
        } else if now >= ask.not_after {
            return Err(Refusal::TooLate);
        } else if account.undos > 0 && account.closed.contains_key(&ask.op) {
            return Err(Refusal::Closed);
        } else if !account.status.may_spend() {
            return Err(Refusal::Status(account.status));
        } else if ask.key.is_some_and(|key| account.revoked.contains(&key)) {
            return Err(Refusal::KeyRevoked);
        } else if let Some(refusal) = account.repeats(ask, now) {
            return Err(refusal);
        } else if let Some(refusal) = account.is_over_a_cap(ask, root, now) {
            return Err(refusal);
        } else if account.limit > 0 && used + price > account.limit {
            return Err(Refusal::BudgetExhausted { budget: budget(used), price: ask.credits });
        } else if remaining < price {
            return Err(Refusal::CreditsExhausted { remaining: credits(remaining), price: ask.credits });
        }
        let budget = (account.limit > 0).then(|| budget(used + price));
        let split = account.take(price, now);
        (account.used, account.period_end) = (used + price, period_end);
        account.seq += 1;
        account.open(ask);
        *account.holds.entry(ask.op).or_default() += price;
        if let Some(root) = root {
            *account.days.entry((root, now.day())).or_default() += price;
            if ask.key.is_some_and(|key| account.caps.contains_key(&key)) {
                *account.counted.entry((root, now.day())).or_default() += price;
            }
        }
        if let Some(under) = ask.idempotency {
            account.marks.insert(under.key, IdempotencyMark { under, op: ask.op, at: now });
        }
        let (seq, split_drawn) = (account.seq, split.clone());
        let event = self.append();
        let drawing = Drawing {
            account: ask.account,
            op: ask.op,
            split: split_drawn,
            period_end,
            root,
            key: ask.key,
            at: now,
            last_of_call: event.sequence,
        };
        self.stream.insert(event.sequence, drawing);
        Ok(Drawn { event, seq, at: now, remaining: credits(remaining - price), budget, split, rates: vec![] })
    }

    pub fn give_back(&mut self, ask: &GiveBack) -> GiveBackOutcome {
        let account = self.accounts.get_mut(&ask.account).unwrap();
        if account.closed.contains_key(&ask.debit_op) {
            return GiveBackOutcome::AlreadyClosed;
        } else if account.frozen {
            return GiveBackOutcome::Deferred;
        }
        let known = (ask.debit_event.incarnation == self.incarnation).then_some(ask.debit_event.sequence);
        let drawing = known.and_then(|sequence| self.stream.get(&sequence));
        let Some(drawing) = drawing.filter(|it| it.op == ask.debit_op && it.account == ask.account) else {
            self.mark_undone(ask.account, ask.debit_op, None, ask.idempotency);
            return GiveBackOutcome::BecameUndo;
        };
        let (returned, lapsed) = account.put_back(drawing, &drawing.split, self.now);
        let remaining = credits(account.remaining(self.now));
        account.free(ask.idempotency, ask.debit_op);
        self.close(ask.account, ask.debit_op, 0);
        GiveBackOutcome::Returned { returned: credits(returned), lapsed: credits(lapsed), remaining }
    }

    pub fn settle(&mut self, ask: &Settle) -> SettleOutcome {
        let account = self.accounts.get_mut(&ask.account).unwrap();
        if account.closed.contains_key(&ask.debit_op) {
            return SettleOutcome::AlreadyClosed;
        } else if account.frozen {
            return SettleOutcome::Deferred;
        }
        let known = (ask.debit_event.incarnation == self.incarnation).then_some(ask.debit_event.sequence);
        let drawing = known.and_then(|sequence| self.stream.get(&sequence));
        let Some(drawing) = drawing.filter(|it| it.op == ask.debit_op && it.account == ask.account) else {
            self.mark_undone(ask.account, ask.debit_op, Some(ask.price.get()), None);
            return SettleOutcome::BecameUndo;
        };
        let kept = ask.price.min(lots::total(&drawing.split).unwrap());
        let (returned, lapsed) = account.put_back(drawing, &lots::beyond(&drawing.split, kept), self.now);
        let remaining = credits(account.remaining(self.now));
        self.close(ask.account, ask.debit_op, kept.get());
        SettleOutcome::Settled { kept, returned: credits(returned), lapsed: credits(lapsed), remaining }
    }

    pub fn undo(&mut self, ask: &Undo) -> UndoOutcome {
        let account = self.accounts.get_mut(&ask.account).unwrap();
        if account.closed.contains_key(&ask.debit_op) {
            return UndoOutcome::AlreadyClosed;
        } else if account.frozen {
            return UndoOutcome::Deferred;
        }
        self.mark_undone(ask.account, ask.debit_op, None, ask.idempotency);
        UndoOutcome::Marked
    }

    pub fn control(&mut self, row: &ControlRow) -> ControlOutcome {
        let Some(account) = self.accounts.get_mut(&row.account) else { return self.create(row) };
        if account.frozen {
            return ControlOutcome::Frozen;
        } else if row.version <= account.version {
            let same = row.version < account.version || row.row == account.row;
            return if same { ControlOutcome::Already } else { ControlOutcome::Gap };
        } else if row.version != account.version + 1 {
            return ControlOutcome::Gap;
        } else if matches!(row.change, Change::LotExpired { lot } if account.lots.get(&lot).is_some_and(|it| self.now < it.expires_at))
        {
            return ControlOutcome::Early;
        } else if matches!(row.change, Change::KeyCapped { .. } | Change::RebuildAsked) {
            return ControlOutcome::NeedsInstall;
        }
        let roots = self.roots.clone();
        account.apply(&row.change, &roots, self.now);
        (account.seq, account.version, account.row) = (account.seq + 1, row.version, row.row);
        self.append();
        ControlOutcome::Applied
    }

    fn create(&mut self, row: &ControlRow) -> ControlOutcome {
        let (1, Change::AccountCreated { status, anchor }) = (row.version, &row.change) else {
            return ControlOutcome::Gap;
        };
        let account = Account { seq: 1, row: row.row, ..Account::new(*status, *anchor) };
        self.accounts.insert(row.account, account);
        self.append();
        ControlOutcome::Applied
    }

    /// What the book says comes in place of what was there. What ops hold, and which have ended, nobody forgets.
    pub fn install(&mut self, image: &AccountImage) -> InstallOutcome {
        let before = self.accounts.get(&image.account);
        if before.is_some_and(|before| before.seq != image.seq) {
            return InstallOutcome::Moved;
        }
        let mut account = Account {
            seq: image.seq,
            version: image.control_version,
            row: image.control_row,
            limit: image.budget_limit.get(),
            used: image.budget_used.get(),
            period_end: image.budget_period_end,
            revoked: image.revoked_keys.iter().copied().collect(),
            sessions: image.sessions.clone(),
            undos: u64::try_from(image.open_undos.len()).unwrap(),
            caps: image.key_caps.iter().map(|cap| (cap.key, cap.caps)).collect(),
            marks: image.idempotency.iter().map(|mark| (mark.under.key, *mark)).collect(),
            ..Account::new(image.status, image.anchor)
        };
        for lot in &image.lots {
            let (granted_at, expires_at) = (lot.granted_at, lot.expires_at);
            account.lots.insert(lot.lot, Lot { left: lot.remaining.get(), granted_at, expires_at });
        }
        if let Some(before) = before {
            account.closed.clone_from(&before.closed);
            account.days.clone_from(&before.days);
            account.counted.clone_from(&before.days);
            if before.installed {
                account.marks.clone_from(&before.marks);
            }
            account.holds.clone_from(&before.holds);
            account.open.clone_from(&before.open);
            account.outcomes.clone_from(&before.outcomes);
            account.ended.clone_from(&before.ended);
        }
        account.closed.extend(image.open_undos.iter().map(|op| (*op, None)));
        self.accounts.insert(image.account, account);
        self.append();
        InstallOutcome::Installed
    }

    /// Events before this one go, and with each the mark it made. Answers those ops. Debits that came in one call with one that stays may stay.
    pub fn trim(&mut self, keep_from: u64) -> Vec<OpId> {
        self.stream.retain(|_, drawing| drawing.last_of_call >= keep_from);
        let old = |made: &Option<u64>| made.is_some_and(|made| made < keep_from);
        let mut gone = Vec::new();
        for account in self.accounts.values_mut() {
            gone.extend(account.closed.iter().filter(|(_, made)| old(made)).map(|(op, _)| *op));
            account.closed.retain(|_, made| !old(made));
        }
        gone
    }

    fn mark_undone(&mut self, id: AccountId, op: OpId, kept: Option<u64>, under: Option<IdempotencyKey>) {
        let account = self.accounts.get_mut(&id).unwrap();
        account.undos += 1;
        account.free(under, op);
        if kept.is_none() && account.open.get(&op).is_some_and(|until| *until <= self.now) {
            account.outcomes.insert(op, None);
        }
        self.close(id, op, kept.unwrap_or(0));
    }

    fn close(&mut self, account: AccountId, op: OpId, kept: u64) {
        let event = self.append();
        let account = self.accounts.get_mut(&account).unwrap();
        account.seq += 1;
        account.open.remove(&op);
        account.closed.insert(op, Some(event.sequence));
        account.ended.entry(op).or_insert(kept); // the first one holds, also where its mark is gone by now
    }

    fn append(&mut self) -> EventId {
        self.sequence += 1;
        EventId { incarnation: self.incarnation, sequence: self.sequence }
    }
}
