//! What keys have drawn by day, for their caps and for people: it follows the events, like what remains of lots.

use std::collections::{BTreeMap, HashMap};

use metering::{AccountId, KeyCap, KeyCount, KeyId, TimeMs};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::LedgerError;
use crate::columns::{self, Stamp, bigint, count, time};

/// What a key drew on a day, less what came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyDay {
    pub account: AccountId,
    pub delta: i64,
}

/// Counts credits that a key drew, or that came back of what it drew, on the day of the debit.
pub(crate) fn count_key(
    days: &mut BTreeMap<(KeyId, u64), KeyDay>,
    account: AccountId,
    key: Option<KeyId>,
    debited_at: TimeMs,
    credits: i64,
) {
    let Some(key) = key.filter(|_| debited_at > TimeMs::EPOCH) else { return };
    let day = days.entry((key, debited_at.day())).or_insert(KeyDay { account, delta: 0 });
    day.delta = day.delta.saturating_add(credits); // far below: of one batch
}

/// Adds what was counted.
pub(crate) async fn write_key_days(
    connection: &mut PgConnection,
    days: &BTreeMap<(KeyId, u64), KeyDay>,
) -> Result<(), LedgerError> {
    if days.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../queries/write_key_days.sql"))
        .bind(days.keys().map(|(key, _)| key.as_uuid()).collect::<Vec<_>>())
        .bind(days.keys().map(|(_, day)| bigint(*day)).collect::<Result<Vec<_>, _>>()?)
        .bind(days.values().map(|day| day.account.as_uuid()).collect::<Vec<_>>())
        .bind(days.values().map(|day| day.delta).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// The keys with caps of an account, and what was drawn by those that count as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Capped {
    pub caps: Vec<KeyCap>,
    pub counts: Vec<KeyCount>,
}

#[derive(FromRow)]
struct RawCap {
    account_id: Uuid,
    key_id: Uuid,
    rates_of: Uuid,
    policy: Value,
}

#[derive(FromRow)]
struct RawCount {
    account_id: Uuid,
    key_id: Uuid,
    day: i64,
    day_drawn: i64,
    period_end: Stamp,
    period_drawn: i64,
}

/// The capped keys of these accounts, with those that count as one with them; accounts without any are not there. Revoked keys are:
/// what they drew may come back.
pub(crate) async fn capped(
    connection: &mut PgConnection,
    accounts: &[Uuid],
) -> Result<HashMap<Uuid, Capped>, LedgerError> {
    let caps: Vec<RawCap> =
        sqlx::query_as(include_str!("../queries/capped_keys.sql")).bind(accounts).fetch_all(&mut *connection).await?;
    let mut found: HashMap<Uuid, Capped> = HashMap::new();
    for raw in caps {
        let caps = columns::policy(raw.policy)?.caps();
        let cap = KeyCap { key: KeyId::from_uuid(raw.key_id), of: KeyId::from_uuid(raw.rates_of), caps };
        found.entry(raw.account_id).or_default().caps.push(cap);
    }
    if found.is_empty() {
        return Ok(found);
    }
    let counts: Vec<RawCount> =
        sqlx::query_as(include_str!("../queries/capped_counts.sql")).bind(accounts).fetch_all(connection).await?;
    for raw in counts {
        let counted = KeyCount {
            of: KeyId::from_uuid(raw.key_id),
            day: count(raw.day)?,
            day_used: columns::credits(raw.day_drawn)?,
            period_end: time(raw.period_end)?,
            period_used: columns::credits(raw.period_drawn)?,
        };
        found.entry(raw.account_id).or_default().counts.push(counted);
    }
    Ok(found)
}
