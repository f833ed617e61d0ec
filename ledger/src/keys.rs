//! Reading keys: a list for people, entries for live state.

use metering::{AccountId, KeyDigest, KeyId, KeyImage, KeyPolicy, KeyState, TimeMs};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{self, Stamp, maybe_time, time};
use crate::{Fence, Ledger, LedgerError, Subject};

/// A key in a list; the key itself is nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// The key's public name.
    pub key: KeyId,
    /// For people.
    pub name: String,
    /// Its first letters.
    pub prefix: String,
    /// `live` or `test`.
    pub mode: String,
    /// When it was issued.
    pub created_at: TimeMs,
    /// First instant at which it is refused, if it expires.
    pub expires_at: Option<TimeMs>,
    /// When it was revoked.
    pub revoked_at: Option<TimeMs>,
    /// What it is held to.
    pub policy: KeyPolicy,
    /// The key that replaces it.
    pub rotated_to: Option<KeyId>,
    /// When it last drew credits, to the minute, as far as the book has the events.
    pub last_used_at: Option<TimeMs>,
}

#[derive(FromRow)]
pub(crate) struct RawView {
    key_id: Uuid,
    name: String,
    prefix: String,
    mode: String,
    created_at: Stamp,
    expires_at: Option<Stamp>,
    revoked_at: Option<Stamp>,
    policy: Value,
    rotated_to: Option<Uuid>,
    last_used_at: Option<Stamp>,
}

#[derive(FromRow)]
struct RawImage {
    digest: Vec<u8>,
    account_id: Uuid,
    key_id: Uuid,
    revoked: bool,
    account_status: String,
    expires_at: Option<Stamp>,
    policy: Value,
    rates_of: Uuid,
}

impl Ledger {
    /// Every key of an account, oldest first, revoked ones too.
    pub async fn list_keys(&self, account: AccountId) -> Result<Vec<KeyView>, LedgerError> {
        let rows: Vec<RawView> = sqlx::query_as(include_str!("../queries/list_keys.sql"))
            .bind(account.as_uuid())
            .fetch_all(&self.pool)
            .await?;
        if rows.is_empty() {
            self.must_exist(account).await?;
        }
        rows.into_iter().map(KeyView::try_from).collect()
    }

    /// The entries of these keys as they are now. A digest that the book does not have is left out.
    pub async fn key_images(&self, digests: &[KeyDigest]) -> Result<Vec<KeyImage>, LedgerError> {
        let digests: Vec<&[u8]> = digests.iter().map(|digest| digest.as_bytes().as_slice()).collect();
        let rows: Vec<RawImage> =
            sqlx::query_as(include_str!("../queries/key_images.sql")).bind(&digests).fetch_all(&self.pool).await?;
        rows.into_iter().map(KeyImage::try_from).collect()
    }

    /// The entries of a key shard in order of digest, a page after `after`; for a new incarnation. Read the shard's
    /// pending rows before the first page and mark those delivered after the last: what changes in between stays pending.
    pub async fn key_install(
        &self,
        fence: Fence,
        after: Option<KeyDigest>,
        limit: u32,
    ) -> Result<Vec<KeyImage>, LedgerError> {
        let after = after.as_ref().map(|digest| digest.as_bytes().as_slice());
        let rows: Vec<RawImage> = sqlx::query_as(include_str!("../queries/key_install.sql"))
            .bind(columns::shard_number(fence.shard))
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(KeyImage::try_from).collect()
    }

    pub(crate) async fn must_exist(&self, account: AccountId) -> Result<(), LedgerError> {
        let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM accounts WHERE account_id = $1")
            .bind(account.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        found.map(drop).ok_or_else(|| LedgerError::not_found(Subject::Account, &account))
    }
}

impl TryFrom<RawView> for KeyView {
    type Error = LedgerError;

    fn try_from(raw: RawView) -> Result<Self, LedgerError> {
        Ok(Self {
            key: KeyId::from_uuid(raw.key_id),
            name: raw.name,
            prefix: raw.prefix,
            mode: raw.mode,
            created_at: time(raw.created_at)?,
            expires_at: maybe_time(raw.expires_at)?,
            revoked_at: maybe_time(raw.revoked_at)?,
            policy: columns::policy(raw.policy)?,
            rotated_to: raw.rotated_to.map(KeyId::from_uuid),
            last_used_at: maybe_time(raw.last_used_at)?,
        })
    }
}

/// The conversion of a foreign type, written as ours so that both queries share it.
impl TryFrom<RawImage> for KeyImage {
    type Error = LedgerError;

    fn try_from(raw: RawImage) -> Result<Self, LedgerError> {
        Ok(Self {
            digest: columns::digest(&raw.digest)?,
            account: AccountId::from_uuid(raw.account_id),
            key: KeyId::from_uuid(raw.key_id),
            state: if raw.revoked { KeyState::Revoked } else { KeyState::Active },
            account_status: columns::status(&raw.account_status)?,
            expires_at: maybe_time(raw.expires_at)?,
            policy: columns::policy(raw.policy)?,
            rates_of: KeyId::from_uuid(raw.rates_of),
        })
    }
}
