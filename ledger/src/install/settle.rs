//! Before an install: changes of credits on their way are applied to the book itself, once.
//!
//! Their event would have said how many credits moved, and the book would have followed. After an install there is no such
//! event, so the book decides by what it has: as many as are there, returns only to lots that live.

use std::collections::{BTreeMap, BTreeSet};

use metering::{AccountId, Change, Credits, Draw, KeyId, LotId, Split, TimeMs, lots};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::budget::BudgetCount;
use crate::columns::{self, Stamp, count, credits, lot_number, stamp, time};
use crate::entries::{EntriesTransaction, NewEntry, insert};
use crate::key_days::{KeyDay, count_key, write_key_days};
use crate::outbox::read_change;
use crate::usage::count_late;
use crate::{EntryKind, Fence, LedgerError};

#[derive(FromRow)]
struct RawRow {
    row_id: i64,
    account_id: Uuid,
    payload: Value,
}

#[derive(FromRow)]
struct RawLot {
    lot_id: i64,
    account_id: Uuid,
    remaining: i64,
    original: i64,
    expires_at: Stamp,
    swept: bool,
}

#[derive(FromRow)]
struct RawBudget {
    account_id: Uuid,
    budget_used: i64,
    budget_period_end: Stamp,
}

struct Lot {
    account: AccountId,
    remaining: Credits,
    original: Credits,
    expires_at: TimeMs,
    swept: bool,
}

/// The accounts' lots and budgets, changed in memory.
struct Settling {
    now: TimeMs,
    lots: BTreeMap<LotId, Lot>,
    budgets: BTreeMap<AccountId, BudgetCount>,
    touched: BTreeSet<LotId>,
    swept: Vec<LotId>,
    entries: Vec<NewEntry>,
    key_days: BTreeMap<(KeyId, u64), KeyDay>,
}

pub(super) async fn pending_moves(
    transaction: &mut EntriesTransaction,
    fence: Fence,
    accounts: &[Uuid],
    now: TimeMs,
) -> Result<(), LedgerError> {
    let rows: Vec<RawRow> = sqlx::query_as(include_str!("../../queries/pending_moves.sql"))
        .bind(accounts)
        .fetch_all(&mut **transaction)
        .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut settling = Settling::read(&mut *transaction, &rows, now).await?;
    for row in &rows {
        let account = AccountId::from_uuid(row.account_id);
        settling.apply(account, count(row.row_id)?, read_change(row.payload.clone())?)?;
    }
    settling.write(&mut *transaction, fence).await?;
    sqlx::query("UPDATE outbox SET settled_at = $2 WHERE row_id = ANY ($1)")
        .bind(rows.iter().map(|row| row.row_id).collect::<Vec<_>>())
        .bind(stamp(now)?)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

impl Settling {
    async fn read(connection: &mut PgConnection, rows: &[RawRow], now: TimeMs) -> Result<Self, LedgerError> {
        let accounts: Vec<Uuid> = rows.iter().map(|row| row.account_id).collect();
        let raw_lots: Vec<RawLot> = sqlx::query_as(include_str!("../../queries/lots_to_settle.sql"))
            .bind(&accounts)
            .fetch_all(&mut *connection)
            .await?;
        let raw_budgets: Vec<RawBudget> = sqlx::query_as(
            "SELECT account_id, budget_used, budget_period_end FROM accounts WHERE account_id = ANY ($1)",
        )
        .bind(&accounts)
        .fetch_all(connection)
        .await?;
        let lots = raw_lots.into_iter().map(|raw| {
            let lot = Lot {
                account: AccountId::from_uuid(raw.account_id),
                remaining: credits(raw.remaining)?,
                original: credits(raw.original)?,
                expires_at: time(raw.expires_at)?,
                swept: raw.swept,
            };
            Ok((columns::lot(raw.lot_id)?, lot))
        });
        let budgets = raw_budgets.into_iter().map(|raw| {
            let budget = BudgetCount { used: credits(raw.budget_used)?, period_end: time(raw.budget_period_end)? };
            Ok((AccountId::from_uuid(raw.account_id), budget))
        });
        Ok(Self {
            now,
            lots: lots.collect::<Result<_, LedgerError>>()?,
            budgets: budgets.collect::<Result<_, LedgerError>>()?,
            touched: BTreeSet::new(),
            swept: Vec::new(),
            entries: Vec::new(),
            key_days: BTreeMap::new(),
        })
    }

    fn apply(&mut self, account: AccountId, row: u64, change: Change) -> Result<(), LedgerError> {
        match change {
            Change::LotReduced { lot, credits } => self.take(account, row, lot, credits, EntryKind::ClawBack),
            Change::LotExpired { lot } => {
                self.swept.push(lot);
                self.take(account, row, lot, Credits::MAX, EntryKind::Expire)
            }
            Change::UndoSettled { debit_op, split, period_end, counted, key, debited_at } if !split.is_empty() => {
                self.lower_budget(account, &split, period_end);
                self.uncount_key(account, key, debited_at, &split);
                let (returned, lapsed) = self.put_back(account, &split)?;
                let kind = if counted { EntryKind::GiveBack } else { EntryKind::DuplicateReturn };
                self.entries.push(NewEntry {
                    debit_op: Some(debit_op),
                    split: returned,
                    lapsed,
                    budget_period_end: Some(period_end),
                    outbox_row: Some(row),
                    ..NewEntry::new(account, kind, self.now)
                });
                Ok(())
            }
            _ => Ok(()), // moves no credits
        }
    }

    fn take(
        &mut self,
        account: AccountId,
        row: u64,
        id: LotId,
        most: Credits,
        kind: EntryKind,
    ) -> Result<(), LedgerError> {
        let lot = self.lot(account, id)?;
        let taken = lot.remaining.min(most);
        lot.remaining = lot.remaining.saturating_sub(taken);
        let split = if taken.is_zero() { Split::new() } else { vec![Draw { lot: id, credits: taken }] };
        self.touched.insert(id);
        self.entries.push(NewEntry { split, outbox_row: Some(row), ..NewEntry::new(account, kind, self.now) });
        Ok(())
    }

    /// As the give-back script: a lot that is past its expiry, or swept, takes none.
    fn put_back(&mut self, account: AccountId, split: &[Draw]) -> Result<(Split, Credits), LedgerError> {
        let now = self.now;
        let mut returned = Split::new();
        let mut lapsed = Credits::ZERO;
        let uncountable = || LedgerError::Corrupt(format!("a return to {account} of more than was granted"));
        for draw in split {
            let lot = self.lot(account, draw.lot)?;
            if lot.swept || lot.expires_at <= now {
                lapsed = lapsed.checked_add(draw.credits).ok_or_else(uncountable)?;
                continue;
            }
            let remaining = lot.remaining.checked_add(draw.credits).filter(|remaining| *remaining <= lot.original);
            lot.remaining = remaining.ok_or_else(uncountable)?;
            returned.push(*draw);
            self.touched.insert(draw.lot);
        }
        Ok((returned, lapsed))
    }

    fn lower_budget(&mut self, account: AccountId, split: &[Draw], period_end: TimeMs) {
        let credits = lots::total(split).unwrap_or(Credits::MAX); // a debit's, whose sum was counted
        if let Some(budget) = self.budgets.get_mut(&account) {
            budget.lower(credits, period_end);
        }
    }

    fn uncount_key(&mut self, account: AccountId, key: Option<KeyId>, debited_at: TimeMs, split: &[Draw]) {
        let credits = lots::total(split).unwrap_or(Credits::MAX); // as above
        count_key(&mut self.key_days, account, key, debited_at, i64::from(credits).saturating_neg());
    }

    fn lot(&mut self, account: AccountId, id: LotId) -> Result<&mut Lot, LedgerError> {
        self.lots
            .get_mut(&id)
            .filter(|lot| lot.account == account)
            .ok_or_else(|| LedgerError::Corrupt(format!("a change of {id}, which {account} does not have")))
    }

    async fn write(&self, transaction: &mut EntriesTransaction, fence: Fence) -> Result<(), LedgerError> {
        let touched = || self.lots.iter().filter(|(id, _)| self.touched.contains(id));
        sqlx::query(include_str!("../../queries/write_settled_lots.sql"))
            .bind(touched().map(|(id, _)| lot_number(*id)).collect::<Vec<_>>())
            .bind(touched().map(|(_, lot)| i64::from(lot.remaining)).collect::<Vec<_>>())
            .execute(&mut **transaction)
            .await?;
        sqlx::query("UPDATE lots SET swept_at = $2 WHERE lot_id = ANY ($1)")
            .bind(self.swept.iter().map(|lot| lot_number(*lot)).collect::<Vec<_>>())
            .bind(stamp(self.now)?)
            .execute(&mut **transaction)
            .await?;
        sqlx::query(include_str!("../../queries/write_settled_budgets.sql"))
            .bind(self.budgets.keys().map(AccountId::as_uuid).collect::<Vec<_>>())
            .bind(self.budgets.values().map(|budget| i64::from(budget.used)).collect::<Vec<_>>())
            .execute(&mut **transaction)
            .await?;
        write_key_days(&mut *transaction, &self.key_days).await?;
        insert(&mut *transaction, fence.shard, fence.incarnation, &self.entries).await?;
        count_late(transaction, fence, &self.entries).await
    }
}
