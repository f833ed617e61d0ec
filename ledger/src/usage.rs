//! What an account used, by day, by key and by route: read from what is counted of its entries.

mod check;
mod count;
mod late;

use std::collections::BTreeMap;

use metering::{AccountId, Credits, KeyId, TimeMs};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

pub use check::UsageDifference;
pub use count::{Counting, UsageCursor};
pub(crate) use late::count_late;

use crate::columns::{Stamp, count as counted, credits, stamp, time};
use crate::{Day, Ledger, LedgerError, Subject};

/// Most days of one answer: a year, and a month to compare with.
pub const USAGE_DAYS_MAX: u64 = 400;

/// What an account used in a span of days. Second debits of one op are none of it; what was given back is none of it either, on the day of
/// its debit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Every day of the span, also those without any.
    pub days: Vec<DayUse>,
    /// The keys that drew, most credits first; sessions together are one.
    pub keys: Vec<KeyUse>,
    /// The routes that were asked, most credits first.
    pub routes: Vec<RouteUse>,
    /// It has everything that the book had then.
    pub as_of: TimeMs,
}

/// What was used on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayUse {
    /// The day, in UTC.
    pub day: Day,
    /// Credits drawn, less given back.
    pub credits: Credits,
    /// Debits of which something stayed drawn.
    pub calls: u64,
}

/// What one key used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// The key; `None` = sessions.
    pub key: Option<KeyId>,
    /// What people call it.
    pub name: Option<String>,
    /// Credits drawn, less given back.
    pub credits: Credits,
    /// Debits of which something stayed drawn.
    pub calls: u64,
}

/// What was used on one route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteUse {
    /// The route.
    pub route: String,
    /// Credits drawn, less given back.
    pub credits: Credits,
    /// Debits of which something stayed drawn.
    pub calls: u64,
}

#[derive(FromRow)]
struct RawUse {
    by: String,
    day: Option<Stamp>,
    key_id: Option<Uuid>,
    route: Option<String>,
    key_name: Option<String>,
    credits: i64,
    calls: i64,
}

impl Ledger {
    /// What an account used from one day to before another, [`USAGE_DAYS_MAX`] days at most. It follows the book within seconds.
    pub async fn usage(&self, account: AccountId, from: Day, until: Day) -> Result<Usage, LedgerError> {
        if until.number().saturating_sub(from.number()) > USAGE_DAYS_MAX {
            return Err(LedgerError::Invalid(format!("usage is shown for at most {USAGE_DAYS_MAX} days at once")));
        }
        let mut transaction = self.begin_reading().await?;
        let as_of: Option<Stamp> = sqlx::query_scalar(include_str!("../queries/usage_as_of.sql"))
            .bind(account.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        let as_of = time(as_of.ok_or_else(|| LedgerError::not_found(Subject::Account, &account))?)?;
        let rows: Vec<RawUse> = sqlx::query_as(include_str!("../queries/usage.sql"))
            .persistent(false) // planned for these values each time, as the other reads of people
            .bind(account.as_uuid())
            .bind(stamp(from.starts_at())?)
            .bind(stamp(until.starts_at())?)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.rollback().await?;
        let mut usage = Usage { days: Vec::new(), keys: Vec::new(), routes: Vec::new(), as_of };
        let mut days: BTreeMap<Day, (Credits, u64)> = BTreeMap::new();
        for raw in rows {
            let (credits, calls) = (credits(raw.credits)?, counted(raw.calls)?);
            match (raw.by.as_str(), raw.day) {
                ("day", Some(day)) => {
                    days.insert(day_of(day)?, (credits, calls));
                }
                ("key", _) => {
                    let (key, name) = (raw.key_id.map(KeyId::from_uuid), raw.key_name);
                    usage.keys.push(KeyUse { key, name, credits, calls });
                }
                _ => usage.routes.push(RouteUse { route: raw.route.unwrap_or_default(), credits, calls }),
            }
        }
        let of = |day: Day| days.get(&day).copied().unwrap_or_default();
        usage.days = from.until(until).map(|day| DayUse { day, credits: of(day).0, calls: of(day).1 }).collect();
        Ok(usage)
    }
}

/// A day as an answer of the book's names it.
fn day_of(stamp: Stamp) -> Result<Day, LedgerError> {
    Ok(Day::of(time(stamp)?))
}
