//! What an account wants to be told by mail, and where.

use std::collections::BTreeSet;

use metering::AccountId;
use serde::Serialize;
use serde_json::json;
use sqlx::{FromRow, PgConnection};

use super::address::{check_address, fold_address};
use super::low_balance::queue_low_balance;
use crate::change::{Audit, By, lock};
use crate::columns::{bigint, count};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// Most addresses that an account's mails go to.
pub const RECIPIENTS_MAX: usize = 10;

/// What an account has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeSettings {
    /// Whether it is told that its credits run low.
    pub low_balance: bool,
    /// Whether it is told of its plan, its payments and its grants.
    pub lifecycle: bool,
    /// Where to; empty = the address of the mail itself, else that of the account.
    pub recipients: Vec<String>,
    /// Raised by each change; 0 = nothing was chosen yet.
    pub version: u64,
}

impl Default for NoticeSettings {
    /// Both are on, for whoever has chosen nothing.
    fn default() -> Self {
        Self { low_balance: true, lifecycle: true, recipients: Vec::new(), version: 0 }
    }
}

impl NoticeSettings {
    /// Refuses what can't be an address, more of them than there may be, and the same one twice.
    fn check(&self) -> Result<(), LedgerError> {
        if self.recipients.len() > RECIPIENTS_MAX {
            return Err(LedgerError::AddressInvalid { why: format!("there are more than {RECIPIENTS_MAX}") });
        }
        for recipient in &self.recipients {
            check_address(recipient)?;
        }
        let different: BTreeSet<String> = self.recipients.iter().map(|recipient| fold_address(recipient)).collect();
        if different.len() < self.recipients.len() {
            return Err(LedgerError::AddressInvalid { why: "the same one stands there twice".to_owned() });
        }
        Ok(())
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (self.low_balance, self.lifecycle, &self.recipients) == (other.low_balance, other.lifecycle, &other.recipients)
    }
}

#[derive(FromRow)]
struct RawSettings {
    low_balance: bool,
    lifecycle: bool,
    recipients: Vec<String>,
    version: i64,
}

impl Ledger {
    /// What an account has chosen, or what holds for whoever has chosen nothing.
    pub async fn notice_settings(&self, account: AccountId) -> Result<NoticeSettings, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        let settings = read(&mut connection, account).await?;
        if settings.version == 0 {
            drop(connection);
            self.must_exist(account).await?;
        }
        Ok(settings)
    }

    /// Chooses anew; the version of `settings` does not matter. Refuses with `notice_settings_changed` when `expected` is another version than
    /// the one that stands. What is so already changes nothing. Turning low-balance notices on while the balance is low queues the one that
    /// there was not. Returns what stands now.
    pub async fn set_notice_settings(
        &self,
        account: AccountId,
        settings: &NoticeSettings,
        expected: Option<u64>,
        by: &By,
    ) -> Result<NoticeSettings, LedgerError> {
        settings.check()?;
        let mut transaction = self.begin().await?;
        lock(&mut transaction, account).await?;
        let before = read(&mut transaction, account).await?;
        if expected.is_some_and(|expected| expected != before.version) {
            return Err(LedgerError::NoticeSettingsChanged { account, version: before.version });
        }
        if settings.says_the_same(&before) {
            return Ok(before);
        }
        let after = NoticeSettings { version: before.version.saturating_add(1), ..settings.clone() };
        write(&mut transaction, account, &after).await?;
        let action = "notice_settings_set";
        let (before, shown) = (Some(json!(before)), json!(after));
        Audit { by, action, account, subject: None, before, after: shown }.write(&mut transaction).await?;
        queue_low_balance(&mut transaction, &[account.as_uuid()], by.at, None).await?;
        commit(transaction).await?;
        Ok(after)
    }
}

async fn read(connection: &mut PgConnection, account: AccountId) -> Result<NoticeSettings, LedgerError> {
    let raw: Option<RawSettings> =
        sqlx::query_as("SELECT low_balance, lifecycle, recipients, version FROM notice_settings WHERE account_id = $1")
            .bind(account.as_uuid())
            .fetch_optional(connection)
            .await?;
    let Some(RawSettings { low_balance, lifecycle, recipients, version }) = raw else {
        return Ok(NoticeSettings::default());
    };
    Ok(NoticeSettings { low_balance, lifecycle, recipients, version: count(version)? })
}

async fn write(
    connection: &mut PgConnection,
    account: AccountId,
    settings: &NoticeSettings,
) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO notice_settings (account_id, low_balance, lifecycle, recipients, version) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id) DO UPDATE SET low_balance = $2, lifecycle = $3, \
         recipients = $4, version = $5",
    )
    .bind(account.as_uuid())
    .bind(settings.low_balance)
    .bind(settings.lifecycle)
    .bind(&settings.recipients)
    .bind(bigint(settings.version)?)
    .execute(connection)
    .await?;
    Ok(())
}
