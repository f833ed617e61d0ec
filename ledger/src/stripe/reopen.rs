//! Taking an operator's word about an account back: what Stripe has said of it counts again.

use metering::{AccountId, Status};
use sqlx::PgConnection;

use super::follow::facts;
use super::standing::derived;
use crate::change::account::write_status;
use crate::change::{By, lock};
use crate::columns;
use crate::pool::commit;
use crate::{Ledger, LedgerError, Subject};

/// What an account is, and what it would be without an operator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reopening {
    /// Its status now.
    pub from: Status,
    /// What follows from what Stripe has said; where that is nothing that counts, what it was before an operator spoke, and where it never was
    /// anything else, pending. As `from` where no operator has spoken.
    pub to: Status,
}

impl Ledger {
    /// What an account would be if operators had said nothing of it.
    pub async fn reopening(&self, account: AccountId) -> Result<Reopening, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        let word: Option<String> = sqlx::query_scalar("SELECT status FROM accounts WHERE account_id = $1")
            .bind(account.as_uuid())
            .fetch_optional(&mut *connection)
            .await?;
        let word = word.ok_or_else(|| LedgerError::not_found(Subject::Account, &account))?;
        reopening(&mut connection, account, columns::status(&word)?).await
    }

    /// Gives an account that is suspended or approved back to what [`Self::reopening`] says. Refused with `changed` where that is not what
    /// `expected` says. Returns the version.
    pub async fn reopen(
        &self,
        account: AccountId,
        expected: Option<Reopening>,
        by: &By,
    ) -> Result<Reopening, LedgerError> {
        let mut transaction = self.begin().await?;
        let locked = lock(&mut transaction, account).await?;
        let found = reopening(&mut transaction, account, locked.status).await?;
        if expected.is_some_and(|expected| expected != found) {
            return Err(LedgerError::Changed { account, what: "status" });
        }
        if !locked.status.is_an_operators() {
            return Err(LedgerError::Invalid("no operator has suspended or approved this account".to_owned()));
        }
        write_status(&mut transaction, &locked, found.to, by).await?;
        commit(transaction).await?;
        Ok(found)
    }
}

async fn reopening(connection: &mut PgConnection, account: AccountId, from: Status) -> Result<Reopening, LedgerError> {
    if !from.is_an_operators() {
        return Ok(Reopening { from, to: from });
    }
    let before: Option<String> = sqlx::query_scalar(include_str!("../../queries/status_before_operators.sql"))
        .bind(account.as_uuid())
        .fetch_optional(&mut *connection)
        .await?;
    let before = before.map_or(Ok(Status::Pending), |word| columns::status(&word))?;
    let facts = facts(connection, account).await?;
    Ok(Reopening { from, to: derived(before, &facts.subscriptions, facts.packs) })
}
