//! Decisions about dead letters that no owner has carried out yet, for people.

use metering::{AccountId, TimeMs};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{self, Stamp, count, time};
use crate::{Ledger, LedgerError};

/// More than these nobody reads; the shards that they wait for have another trouble.
const SHOWN_MOST: i64 = 200;

/// A decision that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PendingDecision {
    /// Its number.
    pub decision: u64,
    /// Whose letters; `None` where the account could not be told.
    pub account: Option<AccountId>,
    /// The shard of accounts whose owner carries it out.
    pub shard: u16,
    /// How many letters are given up; every other open letter of the account is applied.
    pub discarded: u64,
    /// Whether numbers of the account that no letter has are given up, too.
    pub skips_missing: bool,
    /// Whether the book has it, and only live state is still to be written anew.
    pub applied: bool,
    /// Since when it waits.
    pub asked_at: TimeMs,
}

#[derive(FromRow)]
struct RawPending {
    decision_id: i64,
    account_id: Option<Uuid>,
    shard: i16,
    discarded: i32,
    skips_missing: bool,
    state: String,
    asked_at: Stamp,
}

impl Ledger {
    /// Decisions that wait, of all shards, oldest first; the oldest 200 where there are more.
    pub async fn pending_decisions(&self) -> Result<Vec<PendingDecision>, LedgerError> {
        let rows: Vec<RawPending> = sqlx::query_as(
            "SELECT decision_id, account_id, shard, cardinality(discarded) AS discarded, skips_missing, state, asked_at \
             FROM dead_letter_decisions WHERE state IN ('asked', 'applied') ORDER BY decision_id LIMIT $1",
        )
        .bind(SHOWN_MOST)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(PendingDecision::try_from).collect()
    }
}

impl TryFrom<RawPending> for PendingDecision {
    type Error = LedgerError;

    fn try_from(raw: RawPending) -> Result<Self, LedgerError> {
        Ok(Self {
            decision: count(raw.decision_id)?,
            account: raw.account_id.map(AccountId::from_uuid),
            shard: columns::shard("accounts", raw.shard)?.number,
            discarded: count(i64::from(raw.discarded))?,
            skips_missing: raw.skips_missing,
            applied: raw.state == "applied",
            asked_at: time(raw.asked_at)?,
        })
    }
}
