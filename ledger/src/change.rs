//! Changes: lock the account, change the book, raise its control version, append to the outbox, write the audit; one transaction.

pub(crate) mod account;
pub(crate) mod expire;
pub(crate) mod key;
pub(crate) mod key_use;
pub(crate) mod lot;
pub(crate) mod rebuild;
pub(crate) mod session;

use metering::{AccountId, Change, Credits, Shard, ShardKind, Status, TimeMs};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::columns::{self, stamp};
use crate::{LedgerError, Subject};

/// Who changes something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// A person or a service.
    pub actor: String,
    /// For whoever reads the audit later.
    pub reason: String,
    /// When.
    pub at: TimeMs,
}

/// What a change needs to know of its account, which stays locked until the commit.
pub(crate) struct Locked {
    pub account: AccountId,
    pub shard: Shard,
    pub status: Status,
    pub budget_limit: Credits,
}

#[derive(FromRow)]
struct RawLocked {
    shard: i16,
    status: String,
    budget_limit: i64,
}

/// Locks the account, so that its versions and the outbox rows that carry them rise together.
pub(crate) async fn lock(connection: &mut PgConnection, account: AccountId) -> Result<Locked, LedgerError> {
    let raw: Option<RawLocked> =
        sqlx::query_as("SELECT shard, status, budget_limit FROM accounts WHERE account_id = $1 FOR NO KEY UPDATE")
            .bind(account.as_uuid())
            .fetch_optional(connection)
            .await?;
    let raw = raw.ok_or_else(|| LedgerError::not_found(Subject::Account, &account))?;
    Ok(Locked {
        account,
        shard: columns::shard("accounts", raw.shard)?,
        status: columns::status(&raw.status)?,
        budget_limit: columns::credits(raw.budget_limit)?,
    })
}

/// A change that was given a version and an outbox row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub version: u64,
    pub row: u64,
}

/// Raises the control versions of the accounts and appends the changes to the outbox, in the order given. The accounts
/// become locked here if they are not yet.
pub(crate) async fn append(
    connection: &mut PgConnection,
    shard: Shard,
    changes: &[(AccountId, Change)],
) -> Result<Vec<Appended>, LedgerError> {
    debug_assert_eq!(shard.kind, ShardKind::Accounts, "keys have no versions");
    let accounts: Vec<Uuid> = changes.iter().map(|(account, _)| account.as_uuid()).collect();
    let kinds: Vec<&str> = changes.iter().map(|(_, change)| change.kind().as_str()).collect();
    let payloads = changes.iter().map(|(_, change)| payload(change)).collect::<Result<Vec<Value>, _>>()?;
    let rows: Vec<(i64, i64)> = sqlx::query_as(include_str!("../queries/append_changes.sql"))
        .bind(columns::shard_number(shard))
        .bind(&accounts)
        .bind(&kinds)
        .bind(&payloads)
        .fetch_all(&mut *connection)
        .await?;
    if rows.len() != changes.len() {
        return Err(LedgerError::Corrupt("an outbox whose account is missing".to_owned()));
    }
    sqlx::query(include_str!("../queries/set_control_rows.sql")).bind(&accounts).execute(connection).await?;
    rows.into_iter()
        .map(|(version, row)| Ok(Appended { version: columns::count(version)?, row: columns::count(row)? }))
        .collect()
}

/// The change as the outbox stores it.
fn payload(change: &Change) -> Result<Value, LedgerError> {
    serde_json::to_value(change).map_err(|error| LedgerError::Invalid(format!("a change that is no JSON: {error}")))
}

/// One audit row.
pub(crate) struct Audit<'a> {
    pub by: &'a By,
    pub action: &'static str,
    pub account: AccountId,
    pub subject: Option<String>,
    pub before: Option<Value>,
    pub after: Value,
}

impl Audit<'_> {
    pub(crate) async fn write(self, connection: &mut PgConnection) -> Result<(), LedgerError> {
        let Self { by, action, account, subject, before, after } = self;
        write_audit(connection, by, action, Some(account), subject, before, after).await
    }
}

/// An audit row also of what belongs to no account.
pub(crate) async fn write_audit(
    connection: &mut PgConnection,
    by: &By,
    action: &'static str,
    account: Option<AccountId>,
    subject: Option<String>,
    before: Option<Value>,
    after: Value,
) -> Result<(), LedgerError> {
    sqlx::query(include_str!("../queries/write_audit.sql"))
        .bind(stamp(by.at)?)
        .bind(&by.actor)
        .bind(action)
        .bind(account.map(|account| account.as_uuid()))
        .bind(subject)
        .bind(before)
        .bind(after)
        .bind(&by.reason)
        .execute(connection)
        .await?;
    Ok(())
}
