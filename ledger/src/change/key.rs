//! Changes of API keys: issued, revoked.

use std::fmt;

use metering::{AccountId, ApiKey, Change, KeyId, KeyMode, KeyPolicy, TimeMs};
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::change::account::append_one;
use crate::change::{Audit, By, Locked, lock};
use crate::columns::{self, Stamp, stamp};
use crate::pool::commit;
use crate::schema::shard_count;
use crate::{Ledger, LedgerError, Subject};

/// Most keys of an account that are good at once: far more than people tell apart, and few enough to be looked through.
pub const KEYS_MAX: u64 = 500;

/// A key to be issued.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// Whether it is for real work.
    pub mode: KeyMode,
    /// First instant at which it is refused, if it expires.
    pub expires_at: Option<TimeMs>,
    /// What it is held to.
    pub policy: KeyPolicy,
    /// 256 bits from the system's random source.
    pub random: [u8; 32],
}

impl fmt::Debug for NewKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewKey").field("name", &self.name).field("mode", &self.mode).finish_non_exhaustive()
    }
}

#[derive(FromRow)]
pub(super) struct RawKey {
    pub account_id: Uuid,
    pub digest: Vec<u8>,
    pub key_shard: i16,
    pub name: String,
    pub mode: String,
    pub expires_at: Option<Stamp>,
    pub revoked_at: Option<Stamp>,
    pub policy: Value,
    pub rates_of: Uuid,
    pub rotated_to: Option<Uuid>,
}

impl Ledger {
    /// Issues a key, unless the account has [`KEYS_MAX`] good ones. The whole key is in the answer and nowhere else: the book keeps its SHA-256.
    pub async fn issue_key(&self, account: AccountId, new: &NewKey, by: &By) -> Result<(ApiKey, KeyId), LedgerError> {
        must_expire_later(new.expires_at, by.at)?;
        let mut transaction = self.begin().await?;
        let locked = lock(&mut transaction, account).await?;
        must_have_room(&mut transaction, account, by.at, 0).await?;
        let (api_key, key) = insert_key(&mut transaction, &locked, new, None, by).await?;
        let after = json!({ "name": new.name, "mode": new.mode, "expires_at": new.expires_at, "policy": new.policy });
        Audit { by, action: "key_issued", account, subject: Some(key.to_string()), before: None, after }
            .write(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok((api_key, key))
    }

    /// Revokes a key, on its account's shard (so that no debit passes) and on its key shard. Revoking again changes
    /// nothing and says when it was.
    pub async fn revoke_key(&self, key: KeyId, by: &By) -> Result<TimeMs, LedgerError> {
        let mut transaction = self.begin().await?;
        let account = read_key(&mut transaction, key).await?.account_id;
        let account = lock(&mut transaction, AccountId::from_uuid(account)).await?;
        let found = read_key(&mut transaction, key).await?; // again, now that nobody else can revoke it
        if let Some(revoked_at) = found.revoked_at {
            return columns::time(revoked_at);
        }
        sqlx::query("UPDATE api_keys SET revoked_at = $2 WHERE key_id = $1")
            .bind(key.as_uuid())
            .bind(stamp(by.at)?)
            .execute(&mut *transaction)
            .await?;
        append_one(&mut transaction, account.shard, account.account, Change::KeyRevoked { key }).await?;
        append_key(&mut transaction, found.key_shard, account.account, &found.digest).await?;
        let (before, after) = (Some(json!({ "revoked": false })), json!({ "revoked": true }));
        Audit { by, action: "key_revoked", account: account.account, subject: Some(key.to_string()), before, after }
            .write(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok(by.at)
    }
}

pub(super) fn must_expire_later(expires_at: Option<TimeMs>, now: TimeMs) -> Result<(), LedgerError> {
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(LedgerError::Invalid("a key must expire in the future".to_owned()));
    }
    Ok(())
}

/// Whether the account may have one more good key; `leaving` of those that it has go at the same instant.
pub(super) async fn must_have_room(
    connection: &mut PgConnection,
    account: AccountId,
    now: TimeMs,
    leaving: u64,
) -> Result<(), LedgerError> {
    let good: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM api_keys WHERE account_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(account.as_uuid())
    .bind(stamp(now)?)
    .fetch_one(connection)
    .await?;
    if columns::count(good)?.saturating_sub(leaving) >= KEYS_MAX {
        return Err(LedgerError::TooManyKeys { account, limit: KEYS_MAX });
    }
    Ok(())
}

/// Enters a key and puts it on its way to live state. Its rates and caps count against `rates_of`, or against itself.
pub(super) async fn insert_key(
    connection: &mut PgConnection,
    locked: &Locked,
    new: &NewKey,
    rates_of: Option<Uuid>,
    by: &By,
) -> Result<(ApiKey, KeyId), LedgerError> {
    let api_key = ApiKey::generate(new.mode, new.random);
    let (account, key) = (locked.account, KeyId::from_uuid(Uuid::now_v7()));
    let count: i16 = sqlx::query_scalar("SELECT shard_count FROM install").fetch_one(&mut *connection).await?;
    let digest = api_key.digest();
    let key_shard = columns::shard_number(digest.shard(shard_count(count)?));
    sqlx::query(include_str!("../../queries/issue_key.sql"))
        .bind(key.as_uuid())
        .bind(account.as_uuid())
        .bind(digest.as_bytes().as_slice())
        .bind(key_shard)
        .bind(api_key.display_prefix())
        .bind(&new.name)
        .bind(new.mode.as_str())
        .bind(stamp(by.at)?)
        .bind(new.expires_at.map(stamp).transpose()?)
        .bind(json!(new.policy))
        .bind(rates_of.unwrap_or(key.as_uuid()))
        .execute(&mut *connection)
        .await?;
    append_key(&mut *connection, key_shard, account, digest.as_bytes()).await?;
    if !new.policy.caps().is_empty() || is_capped(&mut *connection, rates_of).await? {
        append_one(connection, locked.shard, account, Change::KeyCapped { key, caps: new.policy.caps() }).await?;
    }
    Ok((api_key, key))
}

/// Whether a key that counts as one with those of `rates_of` is capped: then a new one of them has to be counted.
async fn is_capped(connection: &mut PgConnection, rates_of: Option<Uuid>) -> Result<bool, LedgerError> {
    let found = sqlx::query_scalar("SELECT EXISTS (SELECT FROM api_keys WHERE rates_of = $1 AND policy ? 'caps')");
    Ok(found.bind(rates_of).fetch_one(connection).await?)
}

pub(super) async fn read_key(connection: &mut PgConnection, key: KeyId) -> Result<RawKey, LedgerError> {
    sqlx::query_as(include_str!("../../queries/find_key.sql"))
        .bind(key.as_uuid())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| LedgerError::not_found(Subject::Key, &key))
}

pub(super) async fn append_key(
    connection: &mut PgConnection,
    key_shard: i16,
    account: AccountId,
    digest: &[u8],
) -> Result<(), LedgerError> {
    sqlx::query(include_str!("../../queries/append_key.sql"))
        .bind(key_shard)
        .bind(account.as_uuid())
        .bind(digest)
        .execute(connection)
        .await?;
    Ok(())
}
