//! What the book has of an account, for being compared with live state: all of one instant.

use metering::{AccountId, Change, Credits, KeyCap, KeyCount, LotId, OpId, SessionVersions, Shard, Status, TimeMs};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::columns::{self, Ids, Stamp, count, credits, time};
use crate::dead_letters::parked;
use crate::key_days::capped;
use crate::outbox::read_change;
use crate::{Ledger, LedgerError, ParkedEvents, sessions};

/// An account as the book has it at one event of it, with what is on its way to live state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The account.
    pub account: AccountId,
    /// Its shard.
    pub shard: Shard,
    /// The shard's incarnation.
    pub incarnation: u64,
    /// Sequence of the shard's last event in the book; `None` before its first.
    pub applied: Option<u64>,
    /// The account's number of its last event in the book.
    pub seq: u64,
    /// Version of its last change.
    pub control_version: u64,
    /// Its status.
    pub status: Status,
    /// Monthly budget; 0 = no cap.
    pub budget_limit: Credits,
    /// Credits used of it in the period that ends at `budget_period_end`.
    pub budget_used: Credits,
    /// The latest period of any of its debits.
    pub budget_period_end: TimeMs,
    /// Its lots that are not swept.
    pub lots: Vec<BalanceLot>,
    /// Its keys that may draw only so much.
    pub key_caps: Vec<KeyCap>,
    /// What those have drawn.
    pub key_counts: Vec<KeyCount>,
    /// Changes that no event in the book proves delivered, in version order.
    pub pending: Vec<PendingChange>,
    /// Debits whose undo is not decided.
    pub open_undos: Vec<OpId>,
    /// Which of its sessions are still good.
    pub sessions: SessionVersions,
    /// What it has parked; `None` while every event of it is in the book or in the stream.
    pub parked: Option<ParkedEvents>,
}

/// A lot that is not swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceLot {
    /// The lot.
    pub lot: LotId,
    /// What remains of it.
    pub remaining: Credits,
    /// First instant at which it can be drawn.
    pub granted_at: TimeMs,
    /// First instant at which it can no longer be drawn.
    pub expires_at: TimeMs,
    /// Version of the change that granted it.
    pub granted_by: u64,
}

/// A change on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingChange {
    /// Its version.
    pub version: u64,
    /// Its outbox row.
    pub row: u64,
    /// The change.
    pub change: Change,
    /// Whether an install has applied its credits to the book already.
    pub settled: bool,
}

#[derive(FromRow)]
struct RawBalance {
    account_id: Uuid,
    shard: i16,
    incarnation: i64,
    applied_sequence: Option<i64>,
    seq: i64,
    control_version: i64,
    status: String,
    budget_limit: i64,
    budget_used: i64,
    budget_period_end: Stamp,
}

#[derive(FromRow)]
struct RawLot {
    account_id: Uuid,
    lot_id: i64,
    remaining: i64,
    granted_at: Stamp,
    expires_at: Stamp,
    control_version: i64,
}

#[derive(FromRow)]
struct RawPending {
    account_id: Uuid,
    row_id: i64,
    control_version: i64,
    payload: Value,
    settled: bool,
}

impl Ledger {
    /// What the book has of these accounts, all of one instant; those it does not have are left out.
    pub async fn balances(&self, accounts: &[AccountId]) -> Result<Vec<Balance>, LedgerError> {
        let mut transaction = self.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *transaction).await?;
        let balances = read(&mut transaction, accounts.uuids()).await?;
        transaction.rollback().await?;
        Ok(balances)
    }
}

async fn read(connection: &mut PgConnection, accounts: Vec<Uuid>) -> Result<Vec<Balance>, LedgerError> {
    let rows: Vec<RawBalance> =
        sqlx::query_as(include_str!("../queries/balances.sql")).bind(&accounts).fetch_all(&mut *connection).await?;
    let balances = rows.into_iter().map(|raw| Ok((raw.account_id, Balance::try_from(raw)?)));
    let mut balances = balances.collect::<Result<BTreeMap<Uuid, Balance>, LedgerError>>()?; // in the order of the book

    let lots: Vec<RawLot> =
        sqlx::query_as(include_str!("../queries/balance_lots.sql")).bind(&accounts).fetch_all(&mut *connection).await?;
    for raw in lots {
        if let Some(balance) = balances.get_mut(&raw.account_id) {
            balance.lots.push(raw.try_into()?);
        }
    }
    let pending: Vec<RawPending> = sqlx::query_as(include_str!("../queries/balance_pending.sql"))
        .bind(&accounts)
        .fetch_all(&mut *connection)
        .await?;
    for raw in pending {
        if let Some(balance) = balances.get_mut(&raw.account_id) {
            balance.pending.push(raw.try_into()?);
        }
    }
    for (account, sessions) in sessions::versions(&mut *connection, &accounts).await? {
        if let Some(balance) = balances.get_mut(&account) {
            balance.sessions = sessions;
        }
    }
    let undos: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT account_id, debit_op FROM undos WHERE account_id = ANY ($1) AND state = 'open' ORDER BY debit_op",
    )
    .bind(&accounts)
    .fetch_all(&mut *connection)
    .await?;
    for (account, op) in undos {
        if let Some(balance) = balances.get_mut(&account) {
            balance.open_undos.push(OpId::from_uuid(op));
        }
    }
    for (account, found) in parked(&mut *connection, &accounts).await? {
        if let Some(balance) = balances.get_mut(&account) {
            balance.parked = Some(found);
        }
    }
    for (account, found) in capped(connection, &accounts).await? {
        if let Some(balance) = balances.get_mut(&account) {
            (balance.key_caps, balance.key_counts) = (found.caps, found.counts);
        }
    }
    Ok(balances.into_values().collect())
}

impl TryFrom<RawBalance> for Balance {
    type Error = LedgerError;

    fn try_from(raw: RawBalance) -> Result<Self, LedgerError> {
        Ok(Self {
            account: AccountId::from_uuid(raw.account_id),
            shard: columns::shard("accounts", raw.shard)?,
            incarnation: count(raw.incarnation)?,
            applied: raw.applied_sequence.map(count).transpose()?,
            seq: count(raw.seq)?,
            control_version: count(raw.control_version)?,
            status: columns::status(&raw.status)?,
            budget_limit: credits(raw.budget_limit)?,
            budget_used: credits(raw.budget_used)?,
            budget_period_end: time(raw.budget_period_end)?,
            lots: Vec::new(),
            key_caps: Vec::new(),
            key_counts: Vec::new(),
            pending: Vec::new(),
            open_undos: Vec::new(),
            sessions: SessionVersions::default(),
            parked: None,
        })
    }
}

impl TryFrom<RawLot> for BalanceLot {
    type Error = LedgerError;

    fn try_from(raw: RawLot) -> Result<Self, LedgerError> {
        Ok(Self {
            lot: columns::lot(raw.lot_id)?,
            remaining: credits(raw.remaining)?,
            granted_at: time(raw.granted_at)?,
            expires_at: time(raw.expires_at)?,
            granted_by: count(raw.control_version)?,
        })
    }
}

impl TryFrom<RawPending> for PendingChange {
    type Error = LedgerError;

    fn try_from(raw: RawPending) -> Result<Self, LedgerError> {
        Ok(Self {
            version: count(raw.control_version)?,
            row: count(raw.row_id)?,
            change: read_change(raw.payload)?,
            settled: raw.settled,
        })
    }
}
