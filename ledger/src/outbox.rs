//! The outbox: what live state must still be told, shard by shard.

use metering::{AccountId, Change, KeyDigest, Shard};
use serde_json::Value;
use sqlx::postgres::PgListener;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::columns::{self, bigint, count, kind_word, shard_number};
use crate::fence::hold;
use crate::pool::commit;
use crate::{Fence, Ledger, LedgerError};

const CHANNEL: &str = "tollgate_outbox";

/// A row on its way to live state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number; rows of one account rise with its versions.
    pub row: u64,
    /// The account.
    pub account: AccountId,
    /// What to tell.
    pub what: Outgoing,
}

/// What live state must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A change of an account.
    Change {
        /// Its place in the order of the account's changes.
        version: u64,
        /// The change.
        change: Change,
    },
    /// A key's entry must be written again, as [`Ledger::key_images`] then has it.
    Key {
        /// The key.
        digest: KeyDigest,
    },
}

#[derive(FromRow)]
struct RawRow {
    row_id: i64,
    account_id: Uuid,
    control_version: Option<i64>,
    payload: Option<Value>,
    digest: Option<Vec<u8>>,
}

impl Ledger {
    /// Undelivered rows of a shard after `after_row`, in row order. Transactions that run at the same time may commit
    /// lower rows later, so begin each pass at 0: only rows of one account are sure to rise.
    pub async fn pending(&self, shard: Shard, after_row: u64, limit: u32) -> Result<Vec<OutboxRow>, LedgerError> {
        let rows: Vec<RawRow> = sqlx::query_as(include_str!("../queries/pending.sql"))
            .bind(kind_word(shard.kind))
            .bind(shard_number(shard))
            .bind(bigint(after_row)?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(OutboxRow::try_from).collect()
    }

    /// How many rows of a shard are undelivered, and the age of the oldest in milliseconds.
    pub async fn backlog(&self, shard: Shard) -> Result<(u64, u64), LedgerError> {
        let (rows, age_ms): (i64, i64) = sqlx::query_as(include_str!("../queries/outbox_backlog.sql"))
            .bind(kind_word(shard.kind))
            .bind(shard_number(shard))
            .fetch_one(&self.pool)
            .await?;
        Ok((count(rows)?, count(age_ms.max(0))?)) // an age below zero is a clock that was set
    }

    /// Marks rows of a key shard delivered: exactly those whose keys were read and written, by number, because a row
    /// with a lower number may be committed later. `applied` is the shard's sequence in Redis after those writes: a
    /// process that shows a lower one has lost some.
    pub async fn deliver_keys(&self, fence: Fence, rows: &[u64], applied: u64) -> Result<(), LedgerError> {
        let rows = rows.iter().map(|&row| bigint(row)).collect::<Result<Vec<_>, _>>()?;
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?;
        sqlx::query(include_str!("../queries/deliver_keys.sql"))
            .bind(shard_number(fence.shard))
            .bind(&rows)
            .bind(bigint(fence.incarnation)?)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE shards SET applied_sequence = $3 WHERE kind = $1 AND number = $2")
            .bind(kind_word(fence.shard.kind))
            .bind(shard_number(fence.shard))
            .bind(bigint(applied)?)
            .execute(&mut *transaction)
            .await?;
        commit(transaction).await
    }

    /// Listens for outbox rows of all shards.
    pub async fn watch_outbox(&self) -> Result<OutboxWatch, LedgerError> {
        OutboxWatch::start(&self.pool).await
    }
}

/// Tells which shard has new outbox rows. It may miss some (a broken connection), so look from time to time as well.
#[derive(Debug)]
pub struct OutboxWatch {
    listener: PgListener,
}

impl OutboxWatch {
    async fn start(pool: &PgPool) -> Result<Self, LedgerError> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self { listener })
    }

    /// Waits for the next shard. `None`: the connection broke and is made anew at the next call; look at every shard.
    pub async fn next(&mut self) -> Result<Option<Shard>, LedgerError> {
        match self.listener.try_recv().await? {
            Some(note) => read_note(note.payload()).map(Some),
            None => Ok(None),
        }
    }
}

fn read_note(payload: &str) -> Result<Shard, LedgerError> {
    let odd = || LedgerError::Corrupt(format!("the note '{payload}'"));
    let (kind, number) = payload.split_once(':').ok_or_else(odd)?;
    columns::shard(kind, number.parse().map_err(|_| odd())?)
}

impl TryFrom<RawRow> for OutboxRow {
    type Error = LedgerError;

    fn try_from(raw: RawRow) -> Result<Self, LedgerError> {
        let what = match (raw.control_version, raw.payload, raw.digest) {
            (Some(version), Some(payload), None) => {
                Outgoing::Change { version: count(version)?, change: read_change(payload)? }
            }
            (None, None, Some(digest)) => Outgoing::Key { digest: columns::digest(&digest)? },
            _ => return Err(LedgerError::Corrupt(format!("outbox row {}, neither a change nor a key", raw.row_id))),
        };
        Ok(Self { row: count(raw.row_id)?, account: AccountId::from_uuid(raw.account_id), what })
    }
}

pub(crate) fn read_change(payload: Value) -> Result<Change, LedgerError> {
    serde_json::from_value(payload)
        .map_err(|error| LedgerError::Corrupt(format!("a change that can't be read: {error}")))
}
