//! What the installation sends at all, as the service that sends tells: for people whose own settings are not to blame.

use metering::TimeMs;
use serde::Serialize;
use sqlx::FromRow;

use crate::columns::{Stamp, stamp, time};
use crate::{Ledger, LedgerError};

/// What is sent, and when that was told the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NoticeSwitches {
    /// Whether low-balance mails are.
    pub low_balance: bool,
    /// Whether mails of plans, payments and grants are.
    pub lifecycle: bool,
    /// When it was told.
    pub told_at: TimeMs,
}

#[derive(FromRow)]
struct RawSwitches {
    low_balance: bool,
    lifecycle: bool,
    told_at: Stamp,
}

impl Ledger {
    /// What the service that sends has told; `None` while none ever did.
    pub async fn notice_switches(&self) -> Result<Option<NoticeSwitches>, LedgerError> {
        let raw: Option<RawSwitches> = sqlx::query_as("SELECT low_balance, lifecycle, told_at FROM notice_switches")
            .fetch_optional(&self.pool)
            .await?;
        let read = |raw: RawSwitches| {
            Ok(NoticeSwitches { low_balance: raw.low_balance, lifecycle: raw.lifecycle, told_at: time(raw.told_at)? })
        };
        raw.map(read).transpose()
    }

    /// Tells what is sent; told again and again, so that people see when nobody sends any more.
    pub async fn tell_notice_switches(&self, switches: &NoticeSwitches) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO notice_switches (low_balance, lifecycle, told_at) VALUES ($1, $2, $3) \
             ON CONFLICT (only_one) DO UPDATE SET low_balance = $1, lifecycle = $2, told_at = $3",
        )
        .bind(switches.low_balance)
        .bind(switches.lifecycle)
        .bind(stamp(switches.told_at)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
