//! What a batch does to the book, decided event by event in memory.

mod decide;
mod outcome;

use std::collections::BTreeMap;

use metering::{
    AccountId, Body, Change, Event, EventId, IdempotencyKey, IdempotencyMark, KeyId, LotId, RequestOutcome, Shard,
    Split, TimeMs,
};

use crate::LedgerError;
use crate::entries::NewEntry;
use crate::key_days::{KeyDay, count_key};
use crate::record::known::{AccountOp, DrawnDebit, Followed, Known, UndoMark};
use crate::record::letters::NewLetter;
use crate::record::{Piece, Recorded, Step};

/// A lot's share of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LotDelta {
    pub account: AccountId,
    pub delta: i64,
    /// The last event that touched it, for naming it.
    pub last: EventId,
}

/// An outbox row that an event proves delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivered {
    pub row: u64,
    pub sequence: u64,
    pub seq: u64,
    pub at: TimeMs,
}

/// All rows of an account up to a version, delivered by an install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Installed {
    pub account: AccountId,
    pub version: u64,
    pub sequence: u64,
    pub at: TimeMs,
}

/// A decision about an undo, to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UndoRow {
    pub mark: UndoMark,
    /// The op that asked and what it said; `None` where the row is there already.
    pub asked: Option<UndoAsk>,
}

/// Who asked for an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UndoAsk {
    pub op: metering::OpId,
    pub not_after: TimeMs,
    pub at: TimeMs,
}

/// What to write.
#[derive(Default)]
pub(super) struct Plan {
    pub entries: Vec<NewEntry>,
    /// How far the accounts are after the batch, those that moved.
    pub accounts: BTreeMap<AccountId, Followed>,
    pub lots: BTreeMap<LotId, LotDelta>,
    pub swept: Vec<(LotId, TimeMs)>,
    pub delivered: Vec<Delivered>,
    pub installed: Vec<Installed>,
    pub undos: BTreeMap<AccountOp, UndoRow>,
    /// What keys drew less what came back, by the day of the debit.
    pub key_days: BTreeMap<(KeyId, u64), KeyDay>,
    /// Holds that wait to be settled.
    pub holds: BTreeMap<AccountOp, OpenHold>,
    /// Debits under an `Idempotency-Key`.
    pub idempotency: BTreeMap<(AccountId, IdempotencyKey), IdempotencyMark>,
    /// Deadlines of holds that the book has already, moved on.
    pub extended: BTreeMap<AccountOp, TimeMs>,
    /// How requests ended whose debits had a deadline.
    pub outcomes: BTreeMap<AccountOp, NewOutcome>,
    /// Debits that are settled, confirmed or given back: no hold any more.
    pub closed: Vec<AccountOp>,
    /// Of those the ones given back: their `Idempotency-Key` may be used again.
    pub freed: Vec<AccountOp>,
    /// Changes to be told to live state, in order.
    pub changes: Vec<(AccountId, Change)>,
    /// What can't be applied.
    pub letters: Vec<NewLetter>,
    /// Numbers of accounts that are given up.
    pub gaps: Vec<SeqGap>,
    pub recorded: Recorded,
}

/// Numbers of an account whose events an operator gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeqGap {
    pub account: AccountId,
    pub first: u64,
    pub last: u64,
}

/// Numbers that one gap may have: a number that is further ahead is not one that live state came to.
pub(super) const GAP_MOST: u64 = 10_000;

/// How a request ended; `None` = nobody said so by the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewOutcome {
    pub outcome: Option<RequestOutcome>,
    pub at: TimeMs,
}

/// A hold that waits to be settled or confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenHold {
    pub until: TimeMs,
    pub drawn_at: TimeMs,
}

/// A plan in the making.
struct Planner<'a> {
    shard: Shard,
    known: Known<'a>,
    plan: Plan,
    /// Whether numbers that are missing are given up.
    skips_missing: bool,
}

impl Plan {
    pub(super) fn of<'a>(piece: &Piece<'a>, known: Known<'a>) -> Result<Self, LedgerError> {
        let mut planner = Planner { shard: piece.fence.shard, known, plan: Self::default(), skips_missing: false };
        piece.steps.iter().try_for_each(|step| planner.take(step))?;
        Ok(planner.plan)
    }

    /// What letters do that are applied after all: their accounts are marked, and stay so until these are.
    pub(super) fn of_letters<'a>(
        piece: &Piece<'a>,
        known: Known<'a>,
        skips_missing: bool,
    ) -> Result<Self, LedgerError> {
        let mut planner = Planner { shard: piece.fence.shard, known, plan: Self::default(), skips_missing };
        piece.events().try_for_each(|event| planner.apply(event))?;
        Ok(planner.plan)
    }
}

impl<'a> Planner<'a> {
    /// Applies an event, or parks it: because it can't be applied, or because an earlier one of its account was parked.
    fn take(&mut self, step: &Step<'a>) -> Result<(), LedgerError> {
        let marked = step.event.and_then(|event| event.body.account()).filter(|id| self.known.marked.contains(id));
        let reason = match (step.event, &step.poison, marked) {
            (Some(event), None, None) => return self.apply(event),
            // How a request ends moves no lot and counts nothing of the account: it need not wait, and its deadline does not.
            (Some(event), None, Some(_)) if self.speaks_of_open_debit(&event.body) => return self.apply(event),
            (_, Some(why), _) => why.clone(),
            (_, None, _) => "an earlier event of its account is parked".to_owned(),
        };
        let Some(entry) = step.entry else {
            let why = format!("{reason}, and this one can't be parked without its bytes");
            return Err(LedgerError::Unappliable { event: step.id, why });
        };
        let letter = NewLetter::of(entry, reason, step.poison.is_none());
        self.known.marked.extend(letter.parked.account);
        self.plan.recorded.parked.push(letter.parked.clone());
        self.plan.letters.push(letter);
        Ok(())
    }

    /// Whether it is a word about a debit that the book holds open.
    fn speaks_of_open_debit(&self, body: &Body) -> bool {
        match body {
            Body::Confirm { account, debit_op, .. } | Body::Extend { account, debit_op, .. } => {
                let debit = (*account, *debit_op);
                self.known.holds.contains_key(&debit) || self.plan.holds.contains_key(&debit)
            }
            _ => false,
        }
    }

    fn apply(&mut self, event: &'a Event) -> Result<(), LedgerError> {
        match &event.body {
            Body::Opened if event.id.sequence == 0 => Ok(()),
            Body::Opened => Err(unappliable(event, "an incarnation opens only once")),
            Body::Installed { account, seq, control_version } => {
                self.installed(event, *account, *seq, *control_version)
            }
            Body::Debit { .. } => self.debit(event),
            Body::GiveBack { .. } => self.give_back(event),
            Body::Undo { .. } => self.undo(event),
            Body::Confirm { account, debit_op, credits, outcome } => {
                self.confirm(event, (*account, *debit_op), *credits, *outcome);
                Ok(())
            }
            Body::Extend { account, debit_op, hold_until } => {
                self.extend((*account, *debit_op), *hold_until);
                Ok(())
            }
            Body::Control { .. } => self.control(event),
        }
    }

    fn installed(&mut self, event: &Event, account: AccountId, seq: u64, version: u64) -> Result<(), LedgerError> {
        let followed = self.followed(event, account)?;
        if followed.seq != seq && !self.skip(account, followed.seq.saturating_add(1), seq) {
            return Err(LedgerError::Gap { account, event: event.id, expected: followed.seq, found: seq });
        }
        if followed.seq != seq {
            self.plan.accounts.insert(account, Followed { seq, ..followed });
        }
        self.plan.installed.push(Installed { account, version, sequence: event.id.sequence, at: event.at });
        Ok(())
    }

    /// The account as it stands at this point of the batch.
    fn followed(&self, event: &Event, account: AccountId) -> Result<Followed, LedgerError> {
        let known = self.plan.accounts.get(&account).or_else(|| self.known.accounts.get(&account));
        let followed = known.ok_or_else(|| unappliable(event, format!("the book has no {account}")))?;
        if followed.shard == self.shard {
            Ok(*followed)
        } else {
            Err(unappliable(event, format!("{account} is of shard {}", followed.shard)))
        }
    }

    /// Takes the next number of the account, which must be the event's.
    fn step(&mut self, event: &Event, account: AccountId, seq: u64) -> Result<&mut Followed, LedgerError> {
        let mut followed = self.followed(event, account)?;
        let expected = followed.seq.saturating_add(1);
        if seq != expected && !self.skip(account, expected, seq.saturating_sub(1)) {
            return Err(LedgerError::Gap { account, event: event.id, expected, found: seq });
        }
        followed.seq = seq;
        self.plan.accounts.insert(account, followed);
        self.plan.accounts.get_mut(&account).ok_or_else(|| unappliable(event, "its account went missing"))
    }

    /// Gives up the numbers from `first` to `last`, where an operator said so.
    fn skip(&mut self, account: AccountId, first: u64, last: u64) -> bool {
        let may = self.skips_missing && first <= last && last.saturating_sub(first) < GAP_MOST;
        if may {
            self.plan.gaps.push(SeqGap { account, first, last });
        }
        may
    }

    /// Moves credits on lots and notes the entry that says so.
    fn enter(&mut self, event: &Event, entry: NewEntry) -> Result<(), LedgerError> {
        let takes = entry.kind.takes();
        for draw in &entry.split {
            let moved = crate::entries::signed(draw.credits, takes);
            let none_yet = LotDelta { account: entry.account, delta: 0, last: event.id };
            let lot = self.plan.lots.entry(draw.lot).or_insert(none_yet);
            if lot.account != entry.account {
                return Err(unappliable(event, format!("{} is another account's", draw.lot)));
            }
            lot.delta =
                lot.delta.checked_add(moved).ok_or_else(|| unappliable(event, "more credits than can be counted"))?;
            lot.last = event.id;
        }
        self.plan.entries.push(entry);
        Ok(())
    }

    /// Tells live state what was decided about an undone debit: what goes back of it.
    fn settle(&mut self, (account, debit_op): AccountOp, debit: &DrawnDebit<'_>, split: Split, counted: bool) {
        self.plan.recorded.outbox_appended = true;
        let (period_end, key, debited_at) = (debit.period_end, debit.key, debit.at);
        let change = Change::UndoSettled { debit_op, split, period_end, counted, key, debited_at };
        self.plan.changes.push((account, change));
    }

    /// Tells live state that there was nothing to give back.
    fn settle_nothing(&mut self, op: AccountOp, period_end: TimeMs) {
        let nothing = DrawnDebit { split: Split::new().into(), period_end, key: None, at: TimeMs::EPOCH };
        self.settle(op, &nothing, Split::new(), true);
    }

    /// Credits that a key drew, or that came back of what it drew: counted on the day of the debit.
    fn count_key(&mut self, account: AccountId, key: Option<KeyId>, debited_at: TimeMs, credits: i64) {
        count_key(&mut self.plan.key_days, account, key, debited_at, credits);
    }

    /// A debit is settled or given back.
    fn close(&mut self, op: AccountOp, is_free: bool) {
        self.end_hold(op);
        if is_free {
            self.plan.freed.push(op);
        }
    }
}

pub(super) fn unappliable(event: &Event, why: impl Into<String>) -> LedgerError {
    LedgerError::Unappliable { event: event.id, why: why.into() }
}
