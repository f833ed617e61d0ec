//! Changes of an account: it begins, its status, its budget.

use metering::{AccountId, BudgetAnchor, Change, Credits, Shard, Status};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::change::{Appended, Audit, By, Locked, append, lock};
use crate::columns::{self, stamp};
use crate::pool::commit;
use crate::schema::shard_count;
use crate::{Ledger, LedgerError};

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// For people; need not be unique.
    pub name: String,
    /// Where its mails go.
    pub email: Option<String>,
    /// Its first status.
    pub status: Status,
    /// Day of the month on which its budget period starts.
    pub anchor: BudgetAnchor,
}

impl Ledger {
    /// Makes an account; its first change is control version 1.
    pub async fn create_account(&self, new: &NewAccount, by: &By) -> Result<AccountId, LedgerError> {
        let account = AccountId::from_uuid(Uuid::now_v7());
        let mut transaction = self.begin().await?;
        let count: i16 = sqlx::query_scalar("SELECT shard_count FROM install").fetch_one(&mut *transaction).await?;
        let shard = account.shard(shard_count(count)?);
        sqlx::query(include_str!("../../queries/create_account.sql"))
            .bind(account.as_uuid())
            .bind(&new.name)
            .bind(&new.email)
            .bind(columns::shard_number(shard))
            .bind(new.status.as_str())
            .bind(i16::from(new.anchor.day()))
            .bind(stamp(by.at)?)
            .execute(&mut *transaction)
            .await?;
        let change = Change::AccountCreated { status: new.status, anchor: new.anchor };
        append(&mut transaction, shard, &[(account, change)]).await?;
        let after = json!({ "name": new.name, "email": new.email, "status": new.status, "anchor": new.anchor });
        Audit { by, action: "account_created", account, subject: None, before: None, after }
            .write(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok(account)
    }

    /// Sets the status; each live key's entry is written again too, because it carries the status. Returns the version.
    pub async fn set_status(&self, account: AccountId, status: Status, by: &By) -> Result<u64, LedgerError> {
        self.set_status_from(account, None, status, by).await
    }

    /// As [`Self::set_status`]; where `expected` is told and it has another, refused with `changed`.
    pub async fn set_status_from(
        &self,
        account: AccountId,
        expected: Option<Status>,
        status: Status,
        by: &By,
    ) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let locked = lock(&mut transaction, account).await?;
        if expected.is_some_and(|expected| expected != locked.status) {
            return Err(LedgerError::Changed { account, what: "status" });
        }
        let version = write_status(&mut transaction, &locked, status, by).await?;
        commit(transaction).await?;
        Ok(version)
    }

    /// Sets the monthly budget, 0 = no cap. Only for active and approved accounts. Returns the version.
    pub async fn set_budget(&self, account: AccountId, limit: Credits, by: &By) -> Result<u64, LedgerError> {
        self.set_budget_from(account, None, limit, by).await
    }

    /// As [`Self::set_budget`]; where `expected` is told and another limit stands, refused with `changed`.
    pub async fn set_budget_from(
        &self,
        account: AccountId,
        expected: Option<Credits>,
        limit: Credits,
        by: &By,
    ) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let locked = lock(&mut transaction, account).await?;
        if !locked.status.may_set_budget() {
            return Err(LedgerError::BudgetNotEligible { account, status: locked.status });
        }
        if expected.is_some_and(|expected| expected != locked.budget_limit) {
            return Err(LedgerError::Changed { account, what: "budget" });
        }
        sqlx::query("UPDATE accounts SET budget_limit = $2 WHERE account_id = $1")
            .bind(account.as_uuid())
            .bind(i64::from(limit))
            .execute(&mut *transaction)
            .await?;
        let version = append_one(&mut transaction, locked.shard, account, Change::BudgetSet { limit }).await?.version;
        let (before, after) = (Some(json!({ "limit": locked.budget_limit })), json!({ "limit": limit }));
        Audit { by, action: "budget_set", account, subject: None, before, after }.write(&mut transaction).await?;
        commit(transaction).await?;
        Ok(version)
    }
}

/// Sets the status of an account that is locked. Returns the version.
pub(crate) async fn write_status(
    connection: &mut PgConnection,
    locked: &Locked,
    status: Status,
    by: &By,
) -> Result<u64, LedgerError> {
    let account = locked.account;
    sqlx::query("UPDATE accounts SET status = $2 WHERE account_id = $1")
        .bind(account.as_uuid())
        .bind(status.as_str())
        .execute(&mut *connection)
        .await?;
    let appended = append_one(&mut *connection, locked.shard, account, Change::StatusSet { status }).await?;
    sqlx::query(include_str!("../../queries/append_live_keys.sql"))
        .bind(account.as_uuid())
        .bind(stamp(by.at)?)
        .execute(&mut *connection)
        .await?;
    let (before, after) = (Some(json!({ "status": locked.status })), json!({ "status": status }));
    Audit { by, action: "status_set", account, subject: None, before, after }.write(connection).await?;
    Ok(appended.version)
}

/// Appends one change.
pub(super) async fn append_one(
    connection: &mut PgConnection,
    shard: Shard,
    account: AccountId,
    change: Change,
) -> Result<Appended, LedgerError> {
    let appended = append(connection, shard, &[(account, change)]).await?;
    appended.first().copied().ok_or_else(|| LedgerError::Corrupt("an outbox without rows".to_owned()))
}
