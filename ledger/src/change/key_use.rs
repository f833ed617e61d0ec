//! Changes of API keys in use: held to another policy, replaced by another key.

use metering::{AccountId, ApiKey, Change, KeyId, KeyMode, KeyPolicy, TimeMs};
use serde_json::json;
use sqlx::PgConnection;

use crate::change::account::append_one;
use crate::change::key::{NewKey, RawKey, append_key, insert_key, must_expire_later, must_have_room, read_key};
use crate::change::{Audit, By, Locked, lock};
use crate::columns::{self, maybe_time, stamp};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// How a key is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How long the old key is still good; 0 ends it now.
    pub grace_ms: u64,
    /// First instant at which the new key is refused, if it expires.
    pub expires_at: Option<TimeMs>,
    /// 256 bits from the system's random source.
    pub random: [u8; 32],
}

impl Ledger {
    /// Holds a key to this policy, in place of the one it had.
    pub async fn set_key_policy(&self, key: KeyId, policy: &KeyPolicy, by: &By) -> Result<(), LedgerError> {
        self.set_key_policy_from(key, None, policy, by).await
    }

    /// The same, and refused with [`LedgerError::Changed`] where the key is held to something else than was `expected`.
    pub async fn set_key_policy_from(
        &self,
        key: KeyId,
        expected: Option<&KeyPolicy>,
        policy: &KeyPolicy,
        by: &By,
    ) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        let (Locked { account, shard, .. }, found) = lock_good_key(&mut transaction, key, by.at).await?;
        let (before, after) = (found.policy, json!(policy));
        let held_to = columns::policy(before.clone())?;
        if expected.is_some_and(|expected| *expected != held_to) {
            return Err(LedgerError::Changed { account, what: "key" });
        }
        sqlx::query("UPDATE api_keys SET policy = $2 WHERE key_id = $1")
            .bind(key.as_uuid())
            .bind(&after)
            .execute(&mut *transaction)
            .await?;
        append_key(&mut transaction, found.key_shard, account, &found.digest).await?;
        if held_to.caps() != policy.caps() {
            append_one(&mut transaction, shard, account, Change::KeyCapped { key, caps: policy.caps() }).await?;
        }
        Audit { by, action: "key_policy_set", account, subject: Some(key.to_string()), before: Some(before), after }
            .write(&mut transaction)
            .await?;
        commit(transaction).await
    }

    /// Replaces a key by a new one of the same name, mode and policy. For a while both are good, and count against the same
    /// rates. Answers the new key, and when the old one ends: at the end of the grace, or earlier if it was to expire earlier.
    pub async fn rotate_key(
        &self,
        key: KeyId,
        rotation: &Rotation,
        by: &By,
    ) -> Result<(ApiKey, KeyId, TimeMs), LedgerError> {
        must_expire_later(rotation.expires_at, by.at)?;
        let mut transaction = self.begin().await?;
        let (locked, found) = lock_good_key(&mut transaction, key, by.at).await?;
        let account = locked.account;
        if found.rotated_to.is_some() {
            return Err(LedgerError::Invalid(format!("{key} was rotated already: rotate the key that replaced it")));
        }
        must_have_room(&mut transaction, account, by.at, u64::from(rotation.grace_ms == 0)).await?;
        let new = NewKey {
            name: found.name,
            mode: if found.mode == KeyMode::Live.as_str() { KeyMode::Live } else { KeyMode::Test },
            expires_at: rotation.expires_at,
            policy: columns::policy(found.policy)?,
            random: rotation.random,
        };
        let (api_key, new_key) = insert_key(&mut transaction, &locked, &new, Some(found.rates_of), by).await?;
        let grace_end = by.at.plus_ms(rotation.grace_ms);
        let ends_at = maybe_time(found.expires_at)?.map_or(grace_end, |expires_at| expires_at.min(grace_end));
        sqlx::query("UPDATE api_keys SET expires_at = $2, rotated_to = $3 WHERE key_id = $1")
            .bind(key.as_uuid())
            .bind(stamp(ends_at)?)
            .bind(new_key.as_uuid())
            .execute(&mut *transaction)
            .await?;
        append_key(&mut transaction, found.key_shard, account, &found.digest).await?;
        let (before, after) = (
            json!({ "expires_at": maybe_time(found.expires_at)? }),
            json!({ "expires_at": ends_at, "rotated_to": new_key }),
        );
        Audit { by, action: "key_rotated", account, subject: Some(key.to_string()), before: Some(before), after }
            .write(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok((api_key, new_key, ends_at))
    }
}

/// The key, with its account locked; refused when it can't be used any more.
async fn lock_good_key(
    connection: &mut PgConnection,
    key: KeyId,
    now: TimeMs,
) -> Result<(Locked, RawKey), LedgerError> {
    let account = AccountId::from_uuid(read_key(connection, key).await?.account_id);
    let locked = lock(connection, account).await?;
    let found = read_key(connection, key).await?; // again, now that nobody else can change it
    if found.revoked_at.is_some() || maybe_time(found.expires_at)?.is_some_and(|expires_at| expires_at <= now) {
        return Err(LedgerError::Invalid(format!("{key} was revoked or has expired")));
    }
    Ok((locked, found))
}
