//! Writes that people ask for under an `Idempotency-Key`: asked for again, they are answered again and not done again.
//!
//! A write whose answer was never kept is in flight for a day: it may have been done, so it is not done again by itself.

use metering::TimeMs;
use serde_json::Value;
use sqlx::FromRow;

use crate::columns::stamp;
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// How long a key means the same write.
const WRITE_MS: u64 = 86_400_000;

/// What to do about a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// It was never asked for: do it, and say how it ended.
    New,
    /// Somebody is at it, or nobody knows how it ended.
    InFlight,
    /// It was done: this was the answer.
    Done {
        /// As it was kept.
        answer: Value,
    },
    /// Something else was asked for under this key.
    Other,
}

#[derive(FromRow)]
struct RawWrite {
    fingerprint: Vec<u8>,
    answer: Option<Value>,
}

impl Ledger {
    /// Looks whether a write was asked for before, and takes it if not. `who` is whoever asks, `key` is theirs, `fingerprint` the SHA-256 of what
    /// is asked for. Of several at once one has it.
    pub async fn begin_write(
        &self,
        who: &str,
        key: &str,
        fingerprint: &[u8; 32],
        at: TimeMs,
    ) -> Result<Write, LedgerError> {
        let mut transaction = self.begin().await?;
        let old = stamp(at.minus_ms(WRITE_MS))?;
        sqlx::query(include_str!("../queries/forget_writes.sql")).bind(old).execute(&mut *transaction).await?;
        let taken: Option<bool> = sqlx::query_scalar(include_str!("../queries/begin_write.sql"))
            .bind(who)
            .bind(key)
            .bind(fingerprint.as_slice())
            .bind(old)
            .bind(stamp(at)?)
            .fetch_optional(&mut *transaction)
            .await?;
        let found: Option<RawWrite> = match taken {
            Some(_) => None,
            None => {
                sqlx::query_as("SELECT fingerprint, answer FROM console_writes WHERE who = $1 AND key = $2")
                    .bind(who)
                    .bind(key)
                    .fetch_optional(&mut *transaction)
                    .await?
            }
        };
        commit(transaction).await?;
        Ok(match (taken, found) {
            (Some(_), _) => Write::New,
            (None, Some(found)) if found.fingerprint != fingerprint => Write::Other,
            (None, Some(RawWrite { answer: Some(answer), .. })) => Write::Done { answer },
            (None, _) => Write::InFlight,
        })
    }

    /// Keeps the answer of a write that was begun; the first one stays. What is shown once, as a key's secret, must not be in it: it is answered
    /// without that again.
    pub async fn finish_write(&self, who: &str, key: &str, answer: &Value, at: TimeMs) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE console_writes SET answer = $3 WHERE who = $1 AND key = $2 AND answer IS NULL AND began_at >= $4",
        )
        .bind(who)
        .bind(key)
        .bind(answer)
        .bind(stamp(at.minus_ms(WRITE_MS))?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Lets go of a write that was refused and has changed nothing: under its key it may be asked for again.
    pub async fn release_write(&self, who: &str, key: &str) -> Result<(), LedgerError> {
        sqlx::query("DELETE FROM console_writes WHERE who = $1 AND key = $2 AND answer IS NULL")
            .bind(who)
            .bind(key)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
