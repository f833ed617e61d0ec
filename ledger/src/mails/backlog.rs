//! How many mails wait, and for how long.

use sqlx::FromRow;

use crate::columns::count;
use crate::{Ledger, LedgerError};

/// Mails that are not at their end, and those that an operator may have to look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailBacklog {
    /// They wait to be sent.
    pub queued: u64,
    /// How old the oldest of them is, by Postgres' clock.
    pub queued_age_ms: u64,
    /// They are being handed over.
    pub sending: u64,
    /// They may have arrived or not.
    pub unknown: u64,
    /// They were given up.
    pub failed: u64,
}

#[derive(FromRow)]
struct RawBacklog {
    queued: i64,
    queued_age_ms: i64,
    sending: i64,
    unknown: i64,
    failed: i64,
}

impl Ledger {
    /// What waits to be sent, for metrics.
    pub async fn mail_backlog(&self) -> Result<MailBacklog, LedgerError> {
        let raw: RawBacklog =
            sqlx::query_as(include_str!("../../queries/mail_backlog.sql")).fetch_one(&self.pool).await?;
        Ok(MailBacklog {
            queued: count(raw.queued)?,
            queued_age_ms: count(raw.queued_age_ms)?,
            sending: count(raw.sending)?,
            unknown: count(raw.unknown)?,
            failed: count(raw.failed)?,
        })
    }
}
