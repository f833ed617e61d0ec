//! Stripe's customers: whose each is, and where its mails go.

use metering::{AccountId, TimeMs};
use serde_json::json;
use sqlx::PgConnection;

use super::done::Done;
use super::inbox::wake;
use super::work::{Stop, Work};
use super::{limits, names};
use crate::change::{Audit, By, lock};
use crate::columns::stamp;
use crate::pool::commit;
use crate::{Ledger, LedgerError};

impl Ledger {
    /// The customer that an account uses: of those that live the one that was linked first.
    pub async fn stripe_customer(&self, account: AccountId) -> Result<Option<String>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        standing(&mut connection, account).await
    }

    /// Links a customer to an account, unless it uses one already. Answers the one that it uses then, so that whoever was
    /// slower goes on with the same.
    pub async fn link_customer(
        &self,
        account: AccountId,
        customer: &str,
        email: Option<&str>,
        by: &By,
    ) -> Result<String, LedgerError> {
        limits::id(customer)?;
        let mut transaction = self.begin().await?;
        names::lock(&mut transaction, &[customer.to_owned()].into()).await?;
        lock(&mut transaction, account).await?;
        if let Some(standing) = standing(&mut transaction, account).await? {
            return Ok(standing);
        }
        link(&mut transaction, account, customer, email, by).await?;
        let owner = owner(&mut transaction, customer).await?;
        if owner != Some(account) {
            return Err(LedgerError::Invalid(format!("{customer} is the customer of another account, or gone")));
        }
        wake(&mut transaction, &[customer.to_owned()], Some(account), by.at).await?;
        commit(transaction).await?;
        Ok(customer.to_owned())
    }
}

impl Work<'_> {
    pub(super) async fn customer_seen(
        &mut self,
        customer: &str,
        claimed: Option<AccountId>,
        email: Option<&str>,
        as_of: TimeMs,
    ) -> Result<(), Stop> {
        let account = self.account_of(&[Some(customer)], claimed).await?;
        self.link(customer, account).await?;
        sqlx::query(
            "UPDATE stripe_customers SET email = $2, email_as_of = $3 \
             WHERE customer = $1 AND (email_as_of IS NULL OR email_as_of <= $3)",
        )
        .bind(customer)
        .bind(email)
        .bind(stamp(as_of)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// A customer that the book does not know has nothing that could end.
    pub(super) async fn customer_deleted(&mut self, customer: &str, as_of: TimeMs) -> Result<(), Stop> {
        sqlx::query("UPDATE stripe_customers SET deleted_at = $2 WHERE customer = $1 AND deleted_at IS NULL")
            .bind(customer)
            .bind(stamp(as_of)?)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// From now on the book knows whose this customer is.
    pub(super) async fn link(&mut self, customer: &str, account: AccountId) -> Result<(), Stop> {
        if link(&mut *self.connection, account, customer, None, self.by).await? {
            self.learnt.push(customer.to_owned());
            self.done.push(Done::CustomerLinked { customer: customer.to_owned(), account });
        }
        Ok(())
    }
}

async fn standing(connection: &mut PgConnection, account: AccountId) -> Result<Option<String>, LedgerError> {
    Ok(sqlx::query_scalar(
        "SELECT customer FROM stripe_customers WHERE account_id = $1 AND deleted_at IS NULL ORDER BY linked_at, customer \
         LIMIT 1",
    )
    .bind(account.as_uuid())
    .fetch_optional(connection)
    .await?)
}

/// Whose a customer that lives is.
async fn owner(connection: &mut PgConnection, customer: &str) -> Result<Option<AccountId>, LedgerError> {
    let owner =
        sqlx::query_scalar("SELECT account_id FROM stripe_customers WHERE customer = $1 AND deleted_at IS NULL")
            .bind(customer)
            .fetch_optional(connection)
            .await?;
    Ok(owner.map(AccountId::from_uuid))
}

/// Whether the customer was new.
async fn link(
    connection: &mut PgConnection,
    account: AccountId,
    customer: &str,
    email: Option<&str>,
    by: &By,
) -> Result<bool, LedgerError> {
    let rows = sqlx::query(
        "INSERT INTO stripe_customers (customer, account_id, email, linked_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT ON CONSTRAINT stripe_customers_pkey DO NOTHING",
    )
    .bind(customer)
    .bind(account.as_uuid())
    .bind(email)
    .bind(stamp(by.at)?)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if rows == 0 {
        return Ok(false);
    }
    let (subject, after) = (Some(customer.to_owned()), json!({ "customer": customer, "email": email }));
    Audit { by, action: "stripe_customer_linked", account, subject, before: None, after }.write(connection).await?;
    Ok(true)
}
