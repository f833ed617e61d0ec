//! What waits for somebody: how many things operators have to look at.

use metering::TimeMs;
use serde::Serialize;
use sqlx::FromRow;

use crate::columns::{count, stamp};
use crate::{Ledger, LedgerError};

/// Nothing is counted further than this: whoever has so much to do need not know how much more.
pub const ATTENTION_MAX: u64 = 1_000;

/// How many things of each kind wait for an operator, each counted up to [`ATTENTION_MAX`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Attention {
    /// Events that could not be applied.
    pub dead_letters: u64,
    /// Decisions about such that the owner of the shard has not carried out.
    pub decisions: u64,
    /// Deliveries that could not be applied.
    pub deliveries: u64,
    /// Mails of the time asked for that were given up.
    pub mails_failed: u64,
    /// Mails of that time that an address did not take.
    pub mails_bounced: u64,
    /// Mails of that time whose recipient does not want them.
    pub mails_complained: u64,
    /// Mails of that time that may have arrived or not.
    pub mails_unknown: u64,
    /// Incidents of that time; that a shard's first live state was made is none.
    pub incidents: u64,
}

#[derive(FromRow)]
struct RawAttention {
    dead_letters: i64,
    decisions: i64,
    deliveries: i64,
    mails_failed: i64,
    mails_bounced: i64,
    mails_complained: i64,
    mails_unknown: i64,
    incidents: i64,
}

impl Ledger {
    /// Counts what waits; of mails and incidents those since then.
    pub async fn attention(&self, since: TimeMs) -> Result<Attention, LedgerError> {
        let raw: RawAttention =
            sqlx::query_as(include_str!("../queries/attention.sql")).bind(stamp(since)?).fetch_one(&self.pool).await?;
        Ok(Attention {
            dead_letters: count(raw.dead_letters)?,
            decisions: count(raw.decisions)?,
            deliveries: count(raw.deliveries)?,
            mails_failed: count(raw.mails_failed)?,
            mails_bounced: count(raw.mails_bounced)?,
            mails_complained: count(raw.mails_complained)?,
            mails_unknown: count(raw.mails_unknown)?,
            incidents: count(raw.incidents)?,
        })
    }
}
