//! What the book knows of a batch before it is applied: its accounts, its ops, the outbox rows its events name.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use metering::{AccountId, Body, Change, Credits, Draw, KeyId, OpId, Shard, TimeMs};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::LedgerError;
use crate::budget::BudgetCount;
use crate::columns::{self, Stamp, bigint, count, credits, stamp, time};
use crate::dead_letters::marked;
use crate::outbox::read_change;
use crate::record::Piece;

/// Two debit events of one op lie at most the op's life apart, which is seconds; a day leaves room for any clock, and
/// keeps the look-up in one or two months' partitions.
const OP_LIFE_MS_MAX: u64 = 86_400_000;

/// An op of an account: ops are made by those who ask, so an op alone proves nothing.
pub(crate) type AccountOp = (AccountId, OpId);

/// How far the book has followed an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Followed {
    pub shard: Shard,
    pub seq: u64,
    pub budget: BudgetCount,
}

/// A debit that was drawn, in the book or earlier in the batch.
#[derive(Debug, Clone)]
pub(super) struct DrawnDebit<'a> {
    pub split: Cow<'a, [Draw]>,
    pub period_end: TimeMs,
    pub key: Option<KeyId>,
    pub at: TimeMs,
}

/// What was decided about an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UndoMark {
    pub open: bool,
    pub returned: bool,
    /// What stays drawn, where a hold was settled.
    pub kept: Option<Credits>,
}

/// An outbox row that an event names.
#[derive(Debug, Clone)]
pub(super) struct KnownRow {
    pub account: AccountId,
    pub version: u64,
    pub change: Change,
    /// An install has applied its credits to the book already.
    pub settled: bool,
    pub delivered: bool,
}

/// Everything that deciding about a batch needs.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub accounts: HashMap<AccountId, Followed>,
    pub debits: HashMap<AccountOp, DrawnDebit<'a>>,
    pub given_back: HashSet<AccountOp>,
    pub undos: HashMap<AccountOp, UndoMark>,
    pub rows: HashMap<u64, KnownRow>,
    /// Accounts with open dead letters: their events are parked.
    pub marked: HashSet<AccountId>,
    /// Debits that wait to be settled or confirmed, and until when, of those that the batch is about.
    pub holds: HashMap<AccountOp, TimeMs>,
    /// Debits that were confirmed, of those that the batch asks to undo.
    pub confirmed: HashSet<AccountOp>,
}

/// What to look for.
#[derive(Default)]
struct Wanted {
    accounts: HashSet<Uuid>,
    ops: Vec<Uuid>,
    undone: Vec<Uuid>,
    /// Debits that are confirmed, extended or undone: whether the book still holds them open.
    held: Vec<Uuid>,
    rows: Vec<u64>,
    /// The first instant at which one of the ops was at work.
    first: Option<TimeMs>,
}

impl Wanted {
    fn of(piece: &Piece<'_>) -> Self {
        let mut wanted = Self::default();
        for event in piece.events() {
            wanted.accounts.extend(event.body.account().map(|account| account.as_uuid()));
            match &event.body {
                Body::Debit { op, .. } => wanted.op(*op, event.at),
                Body::Undo { debit_op, not_after, .. } => {
                    wanted.op(*debit_op, event.at.min(*not_after));
                    wanted.undone.push(debit_op.as_uuid());
                    wanted.held.push(debit_op.as_uuid());
                }
                Body::Confirm { debit_op, .. } | Body::Extend { debit_op, .. } => wanted.held.push(debit_op.as_uuid()),
                Body::Control { row, .. } => wanted.rows.push(*row),
                Body::Opened | Body::Installed { .. } | Body::GiveBack { .. } => {}
            }
        }
        wanted
    }

    fn op(&mut self, op: OpId, at: TimeMs) {
        self.ops.push(op.as_uuid());
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
    }
}

#[derive(FromRow)]
struct RawAccount {
    account_id: Uuid,
    shard: i16,
    seq: i64,
    budget_used: i64,
    budget_period_end: Stamp,
}

#[derive(FromRow)]
struct RawDebit {
    account_id: Uuid,
    op: Uuid,
    lot_ids: Vec<i64>,
    lot_credits: Vec<i64>,
    budget_period_end: Stamp,
    key_id: Option<Uuid>,
    occurred_at: Stamp,
}

#[derive(FromRow)]
struct RawUndo {
    account_id: Uuid,
    debit_op: Uuid,
    open: bool,
    returned: bool,
    kept: Option<i64>,
}

#[derive(FromRow)]
struct RawRow {
    row_id: i64,
    account_id: Uuid,
    control_version: i64,
    payload: Value,
    settled: bool,
    delivered: bool,
}

impl Known<'_> {
    pub(super) async fn read(connection: &mut PgConnection, piece: &Piece<'_>) -> Result<Self, LedgerError> {
        let wanted = Wanted::of(piece);
        let mut known = Self::default();
        let accounts: Vec<Uuid> = wanted.accounts.into_iter().collect();
        let marked = marked(&mut *connection, piece.fence, &accounts).await?;
        known.marked.extend(marked.into_iter().map(AccountId::from_uuid));
        known.read_accounts(&mut *connection, accounts).await?;
        if let Some(first) = wanted.first {
            let since = stamp(first.minus_ms(OP_LIFE_MS_MAX))?;
            known.read_debits(&mut *connection, &wanted.ops, since).await?;
            known.read_undos(&mut *connection, &wanted.ops).await?;
            if !wanted.undone.is_empty() {
                known.read_give_backs(&mut *connection, &wanted.undone, since).await?;
                known.read_confirmed(&mut *connection, &wanted.undone).await?;
            }
        }
        if !wanted.held.is_empty() {
            known.read_holds(&mut *connection, &wanted.held).await?;
        }
        if !wanted.rows.is_empty() {
            known.read_rows(connection, &wanted.rows).await?;
        }
        Ok(known)
    }

    async fn read_accounts(&mut self, connection: &mut PgConnection, accounts: Vec<Uuid>) -> Result<(), LedgerError> {
        let rows: Vec<RawAccount> = sqlx::query_as(
            "SELECT account_id, shard, seq, budget_used, budget_period_end FROM accounts WHERE account_id = ANY ($1)",
        )
        .bind(accounts)
        .fetch_all(connection)
        .await?;
        for raw in rows {
            let followed = Followed {
                shard: columns::shard("accounts", raw.shard)?,
                seq: count(raw.seq)?,
                budget: BudgetCount { used: credits(raw.budget_used)?, period_end: time(raw.budget_period_end)? },
            };
            self.accounts.insert(AccountId::from_uuid(raw.account_id), followed);
        }
        Ok(())
    }

    async fn read_debits(
        &mut self,
        connection: &mut PgConnection,
        ops: &[Uuid],
        since: Stamp,
    ) -> Result<(), LedgerError> {
        let rows: Vec<RawDebit> = sqlx::query_as(include_str!("../../queries/known_debits.sql"))
            .bind(ops)
            .bind(since)
            .fetch_all(connection)
            .await?;
        for raw in rows {
            let split = columns::split(&raw.lot_ids, &raw.lot_credits)?;
            let debit = DrawnDebit {
                split: Cow::Owned(split),
                period_end: time(raw.budget_period_end)?,
                key: raw.key_id.map(KeyId::from_uuid),
                at: time(raw.occurred_at)?,
            };
            self.debits.insert((AccountId::from_uuid(raw.account_id), OpId::from_uuid(raw.op)), debit);
        }
        Ok(())
    }

    async fn read_undos(&mut self, connection: &mut PgConnection, ops: &[Uuid]) -> Result<(), LedgerError> {
        let rows: Vec<RawUndo> = sqlx::query_as(include_str!("../../queries/known_undos.sql"))
            .bind(ops)
            .bind(ops.iter().min())
            .bind(ops.iter().max())
            .fetch_all(connection)
            .await?;
        for raw in rows {
            let op = (AccountId::from_uuid(raw.account_id), OpId::from_uuid(raw.debit_op));
            let kept = raw.kept.map(credits).transpose()?;
            self.undos.insert(op, UndoMark { open: raw.open, returned: raw.returned, kept });
        }
        Ok(())
    }

    async fn read_give_backs(
        &mut self,
        connection: &mut PgConnection,
        ops: &[Uuid],
        since: Stamp,
    ) -> Result<(), LedgerError> {
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(include_str!("../../queries/known_give_backs.sql"))
            .bind(ops)
            .bind(since)
            .fetch_all(connection)
            .await?;
        let ops = rows.into_iter().map(|(account, op)| (AccountId::from_uuid(account), OpId::from_uuid(op)));
        self.given_back.extend(ops);
        Ok(())
    }

    async fn read_confirmed(&mut self, connection: &mut PgConnection, ops: &[Uuid]) -> Result<(), LedgerError> {
        let rows: Vec<(Uuid, Uuid)> =
            sqlx::query_as("SELECT account_id, op FROM outcomes WHERE op = ANY ($1) AND ended <> 'unconfirmed'")
                .bind(ops)
                .fetch_all(connection)
                .await?;
        let ops = rows.into_iter().map(|(account, op)| (AccountId::from_uuid(account), OpId::from_uuid(op)));
        self.confirmed.extend(ops);
        Ok(())
    }

    async fn read_holds(&mut self, connection: &mut PgConnection, ops: &[Uuid]) -> Result<(), LedgerError> {
        let rows: Vec<(Uuid, Uuid, Stamp)> =
            sqlx::query_as("SELECT account_id, op, hold_until FROM holds WHERE op = ANY ($1)")
                .bind(ops)
                .fetch_all(connection)
                .await?;
        for (account, op, until) in rows {
            self.holds.insert((AccountId::from_uuid(account), OpId::from_uuid(op)), time(until)?);
        }
        Ok(())
    }

    async fn read_rows(&mut self, connection: &mut PgConnection, rows: &[u64]) -> Result<(), LedgerError> {
        let rows = rows.iter().map(|&row| bigint(row)).collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<RawRow> =
            sqlx::query_as(include_str!("../../queries/known_rows.sql")).bind(rows).fetch_all(connection).await?;
        for raw in rows {
            let row = KnownRow {
                account: AccountId::from_uuid(raw.account_id),
                version: count(raw.control_version)?,
                change: read_change(raw.payload)?,
                settled: raw.settled,
                delivered: raw.delivered,
            };
            self.rows.insert(count(raw.row_id)?, row);
        }
        Ok(())
    }
}
