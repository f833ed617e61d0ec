//! Whether what is counted is what the entries say, counted anew.

use std::fmt;

use metering::{AccountId, KeyId};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::day_of;
use crate::columns::{Ids, Stamp};
use crate::{Day, Ledger, LedgerError};

/// A day, key and route of an account of which something else is counted than its entries say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageDifference {
    /// The account.
    pub account: AccountId,
    /// The day.
    pub day: Day,
    /// The key; `None` = sessions.
    pub key: Option<KeyId>,
    /// The route.
    pub route: String,
    /// Credits that the entries say, and those that are counted.
    pub credits: (i64, i64),
    /// The same of calls.
    pub calls: (i64, i64),
}

impl fmt::Display for UsageDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, day, route, credits, calls, .. } = self;
        let key = self.key.map_or("sessions".to_owned(), |key| key.to_string());
        write!(
            formatter,
            "usage of {account} on {day}, {key}, {route}: {} credits and {} calls by its entries, {} and {} are counted",
            credits.0, calls.0, credits.1, calls.1
        )
    }
}

#[derive(FromRow)]
struct RawDifference {
    account_id: Uuid,
    day: Stamp,
    key_id: Option<Uuid>,
    route: String,
    credits: i64,
    calls: i64,
    kept_credits: i64,
    kept_calls: i64,
}

impl Ledger {
    /// Counts what accounts used anew from all their entries that are counted, and tells where something else stands. It reads every entry of
    /// them; right at any time, also while others count.
    pub async fn recount_usage(&self, accounts: &[AccountId]) -> Result<Vec<UsageDifference>, LedgerError> {
        let rows: Vec<RawDifference> = sqlx::query_as(concat!(
            include_str!("../../queries/usage_from_account.sql"),
            include_str!("../../queries/usage_moves.sql"),
            include_str!("../../queries/usage_check.sql"),
        ))
        .bind(accounts.uuids())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(UsageDifference::try_from).collect()
    }
}

impl TryFrom<RawDifference> for UsageDifference {
    type Error = LedgerError;

    fn try_from(raw: RawDifference) -> Result<Self, LedgerError> {
        Ok(Self {
            account: AccountId::from_uuid(raw.account_id),
            day: day_of(raw.day)?,
            key: raw.key_id.map(KeyId::from_uuid),
            route: raw.route,
            credits: (raw.credits, raw.kept_credits),
            calls: (raw.calls, raw.kept_calls),
        })
    }
}
