//! Keys for people: one of an account, and all of them page by page.

use metering::{AccountId, KeyId, TimeMs};

use crate::columns::stamp;
use crate::keys::RawView;
use crate::{KeyView, Ledger, LedgerError, READ_MAX, Subject};

/// Which keys of an account to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysWanted {
    /// All of them.
    All,
    /// Those that are neither revoked nor expired.
    Good,
    /// Those that are.
    Ended,
}

impl Ledger {
    /// One key of an account. A key of another account is not there.
    pub async fn key_of(&self, account: AccountId, key: KeyId) -> Result<KeyView, LedgerError> {
        let found: Option<RawView> = sqlx::query_as(
            "SELECT key_id, name, prefix, mode, created_at, expires_at, revoked_at, policy, rotated_to, last_used_at \
             FROM api_keys WHERE key_id = $1 AND account_id = $2",
        )
        .bind(key.as_uuid())
        .bind(account.as_uuid())
        .fetch_optional(&self.pool)
        .await?;
        found.ok_or_else(|| LedgerError::not_found(Subject::Key, &key))?.try_into()
    }

    /// Keys of an account as they are at `now`, latest first, at most [`READ_MAX`] and one; the next page begins after the last key.
    pub async fn keys_page(
        &self,
        account: AccountId,
        wanted: KeysWanted,
        now: TimeMs,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<KeyView>, LedgerError> {
        let rows: Vec<RawView> = sqlx::query_as(include_str!("../queries/keys_page.sql"))
            .bind(account.as_uuid())
            .bind(after.map(|after| after.as_uuid()))
            .bind(wanted == KeysWanted::All)
            .bind(wanted == KeysWanted::Good)
            .bind(stamp(now)?)
            .bind(i64::from(limit.min(READ_MAX.saturating_add(1))))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(KeyView::try_from).collect()
    }
}
