//! How the words of metering stand in columns: bigint, timestamptz, text.

use jiff_sqlx::ToSqlx;
use metering::{
    AccountId, BudgetAnchor, Credits, Draw, KeyDigest, KeyId, KeyPolicy, LotId, OpId, Shard, ShardKind, Split, Status,
    TimeMs,
};
use uuid::Uuid;

use crate::LedgerError;

/// A timestamptz as sqlx binds and reads it.
pub(crate) type Stamp = jiff_sqlx::Timestamp;

pub(crate) fn stamp(time: TimeMs) -> Result<Stamp, LedgerError> {
    i64::try_from(time.as_u64())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map(ToSqlx::to_sqlx)
        .ok_or_else(|| LedgerError::Invalid(format!("{time} is later than the year 9999")))
}

pub(crate) fn time(stamp: Stamp) -> Result<TimeMs, LedgerError> {
    u64::try_from(stamp.to_jiff().as_millisecond())
        .map(TimeMs::new)
        .map_err(|_| LedgerError::Corrupt("a time before 1970".to_owned()))
}

pub(crate) fn maybe_time(stamp: Option<Stamp>) -> Result<Option<TimeMs>, LedgerError> {
    stamp.map(time).transpose()
}

pub(crate) fn bigint(count: u64) -> Result<i64, LedgerError> {
    i64::try_from(count).map_err(|_| LedgerError::Invalid(format!("{count} is more than can be counted")))
}

pub(crate) fn count(bigint: i64) -> Result<u64, LedgerError> {
    u64::try_from(bigint).map_err(|_| LedgerError::Corrupt(format!("the count {bigint}")))
}

pub(crate) fn attempts(integer: i32) -> Result<u32, LedgerError> {
    u32::try_from(integer).map_err(|_| LedgerError::Corrupt("attempts below zero".to_owned()))
}

pub(crate) fn credits(bigint: i64) -> Result<Credits, LedgerError> {
    Credits::try_from(bigint).map_err(|_| LedgerError::Corrupt(format!("the credits {bigint}")))
}

pub(crate) fn lot(bigint: i64) -> Result<LotId, LedgerError> {
    u64::try_from(bigint)
        .ok()
        .and_then(|number| LotId::new(number).ok())
        .ok_or_else(|| LedgerError::Corrupt(format!("the lot number {bigint}")))
}

pub(crate) fn lot_number(lot: LotId) -> i64 {
    i64::try_from(lot.as_u64()).unwrap_or(i64::MAX) // always fits: at most 2^53 − 1
}

pub(crate) fn status(word: &str) -> Result<Status, LedgerError> {
    word.parse().map_err(|_| LedgerError::Corrupt(format!("the status '{word}'")))
}

pub(crate) fn policy(json: serde_json::Value) -> Result<KeyPolicy, LedgerError> {
    serde_json::from_value(json).map_err(|error| LedgerError::Corrupt(format!("the policy of a key: {error}")))
}

pub(crate) fn anchor(day: i16) -> Result<BudgetAnchor, LedgerError> {
    u8::try_from(day)
        .ok()
        .and_then(|day| BudgetAnchor::new(day).ok())
        .ok_or_else(|| LedgerError::Corrupt(format!("the anchor day {day}")))
}

pub(crate) fn digest(bytes: &[u8]) -> Result<KeyDigest, LedgerError> {
    <[u8; 32]>::try_from(bytes)
        .map(KeyDigest::from_bytes)
        .map_err(|_| LedgerError::Corrupt("a key digest of another length".to_owned()))
}

pub(crate) const fn kind_word(kind: ShardKind) -> &'static str {
    match kind {
        ShardKind::Accounts => "accounts",
        ShardKind::Keys => "keys",
    }
}

pub(crate) fn shard(kind: &str, number: i16) -> Result<Shard, LedgerError> {
    let kind = match kind {
        "accounts" => ShardKind::Accounts,
        "keys" => ShardKind::Keys,
        _ => return Err(LedgerError::Corrupt(format!("the shard kind '{kind}'"))),
    };
    let number = u16::try_from(number).map_err(|_| LedgerError::Corrupt(format!("the shard number {number}")))?;
    Ok(Shard { kind, number })
}

pub(crate) fn shard_number(shard: Shard) -> i16 {
    i16::try_from(shard.number).unwrap_or(i16::MAX) // always fits: below 999
}

/// A split that was stored as two arrays.
pub(crate) fn split(lot_ids: &[i64], lot_credits: &[i64]) -> Result<Split, LedgerError> {
    lot_ids
        .iter()
        .zip(lot_credits)
        .map(|(&number, &moved)| Ok(Draw { lot: lot(number)?, credits: credits(moved.saturating_abs())? }))
        .collect()
}

/// Ids as Postgres stores them.
pub(crate) trait Ids {
    fn uuids(&self) -> Vec<Uuid>;
}

macro_rules! ids {
    ($($id:ty),+) => { $(
        impl Ids for [$id] {
            fn uuids(&self) -> Vec<Uuid> {
                self.iter().map(<$id>::as_uuid).collect()
            }
        }
    )+ };
}
ids!(AccountId, KeyId, OpId);
