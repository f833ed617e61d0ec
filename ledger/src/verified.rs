//! When each account was last found true, for those who want to know without verifying again.

use metering::{AccountId, TimeMs};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{Stamp, bigint, count, stamp, time};
use crate::{Comparison, Difference, Ledger, LedgerError, Seen};

/// Up to which event an account was verified, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The account's number of that event.
    pub seq: u64,
    /// When.
    pub at: TimeMs,
}

#[derive(FromRow)]
struct RawVerified {
    seq: i64,
    at: Stamp,
}

impl Ledger {
    /// Notes those of `seen` in which nothing differed, neither in the book nor in live state. Answers how many.
    pub async fn note_verified(
        &self,
        seen: &[Seen],
        differences: &[Difference],
        at: TimeMs,
    ) -> Result<usize, LedgerError> {
        let is_true = |seen: &&Seen| {
            matches!(seen.comparison, Comparison::Agrees { .. })
                && differences.iter().all(|difference| difference.account() != seen.account)
        };
        let seq = |seen: &Seen| seen.snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
        let noted: Vec<(Uuid, u64)> =
            seen.iter().filter(is_true).map(|seen| (seen.account.as_uuid(), seq(seen))).collect();
        if noted.is_empty() {
            return Ok(0);
        }
        sqlx::query(include_str!("../queries/note_verified.sql"))
            .bind(noted.iter().map(|(account, _)| *account).collect::<Vec<_>>())
            .bind(noted.iter().map(|(_, seq)| bigint(*seq)).collect::<Result<Vec<_>, _>>()?)
            .bind(stamp(at)?)
            .execute(&self.pool)
            .await?;
        Ok(noted.len())
    }

    /// When an account was last found true; `None` where that never was.
    pub async fn verified(&self, account: AccountId) -> Result<Option<Verified>, LedgerError> {
        let raw: Option<RawVerified> = sqlx::query_as("SELECT seq, at FROM verified WHERE account_id = $1")
            .bind(account.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        raw.map(|raw| Ok(Verified { seq: count(raw.seq)?, at: time(raw.at)? })).transpose()
    }
}
