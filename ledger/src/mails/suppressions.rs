//! Addresses that nothing is sent to any more.

use metering::{AccountId, TimeMs};
use serde::Serialize;
use serde_json::json;
use sqlx::{FromRow, PgConnection};

use super::address::{check_address, fold_address};
use super::event::short;
use crate::change::{By, write_audit};
use crate::columns::{Stamp, bigint, count, stamp, time};
use crate::pool::commit;
use crate::words::words;
use crate::{Ledger, LedgerError, Subject};

words! {
    /// Why nothing is sent to an address.
    SuppressionReason, "reason of a suppression",
    /// It does not take mails, for good.
    Bounced => "bounced",
    /// Its owner wants none.
    Complained => "complained",
    /// An operator says so.
    Operator => "operator",
}

/// An address that nothing is sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// In lower case.
    pub address: String,
    /// Why.
    pub reason: SuppressionReason,
    /// In words: what the provider said, or the operator.
    pub detail: Option<String>,
    /// The mail that told.
    pub mail: Option<u64>,
    /// Who put it here: a provider, a mail server or a person.
    pub actor: String,
    /// Since when.
    pub at: TimeMs,
}

#[derive(FromRow)]
struct RawSuppression {
    address: String,
    reason: String,
    detail: Option<String>,
    mail_id: Option<i64>,
    actor: String,
    at: Stamp,
}

impl Ledger {
    /// Addresses that nothing is sent to, in the order of their letters, after one.
    pub async fn suppressions(&self, after: Option<&str>, limit: u32) -> Result<Vec<Suppression>, LedgerError> {
        let rows: Vec<RawSuppression> = sqlx::query_as(
            "SELECT address, reason, detail, mail_id, actor, at FROM mail_suppressions \
             WHERE address > $1 ORDER BY address LIMIT $2",
        )
        .bind(after.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Suppression::try_from).collect()
    }

    /// Those of these addresses that nothing is sent to.
    pub async fn suppressed_among(&self, addresses: &[String]) -> Result<Vec<Suppression>, LedgerError> {
        let folded: Vec<String> = addresses.iter().map(|address| fold_address(address)).collect();
        let rows: Vec<RawSuppression> = sqlx::query_as(
            "SELECT address, reason, detail, mail_id, actor, at FROM mail_suppressions WHERE address = ANY ($1)",
        )
        .bind(&folded)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Suppression::try_from).collect()
    }

    /// Sends nothing to an address from now on. False where that is so already.
    pub async fn suppress(&self, address: &str, reason: SuppressionReason, by: &By) -> Result<bool, LedgerError> {
        check_address(address)?;
        let mut transaction = self.begin().await?;
        let of = New { address, reason, detail: &by.reason, mail: None, account: None };
        let is_new = of.write(&mut transaction, by).await?;
        commit(transaction).await?;
        Ok(is_new)
    }

    /// Sends to an address again.
    pub async fn unsuppress(&self, address: &str, by: &By) -> Result<(), LedgerError> {
        let folded = fold_address(address);
        let mut transaction = self.begin().await?;
        let raw: Option<RawSuppression> = sqlx::query_as(
            "DELETE FROM mail_suppressions WHERE address = $1 RETURNING address, reason, detail, mail_id, actor, at",
        )
        .bind(&folded)
        .fetch_optional(&mut *transaction)
        .await?;
        let found = raw.map(Suppression::try_from).transpose()?;
        let found = found.ok_or_else(|| LedgerError::not_found(Subject::Suppression, &folded))?;
        let account = account_of(&mut transaction, found.mail).await?;
        let before = Some(json!({ "reason": found.reason, "detail": found.detail }));
        let after = json!({ "suppressed": false });
        write_audit(&mut transaction, by, "address_unsuppressed", account, Some(folded), before, after).await?;
        commit(transaction).await
    }
}

/// Whom the mail that told is about.
pub(super) async fn account_of(
    connection: &mut PgConnection,
    mail: Option<u64>,
) -> Result<Option<AccountId>, LedgerError> {
    let Some(mail) = mail else { return Ok(None) };
    let account = sqlx::query_scalar("SELECT account_id FROM mails WHERE mail_id = $1")
        .bind(bigint(mail)?)
        .fetch_optional(connection)
        .await?;
    Ok(account.map(AccountId::from_uuid))
}

/// A suppression as it is written.
pub(super) struct New<'a> {
    pub(super) address: &'a str,
    pub(super) reason: SuppressionReason,
    pub(super) detail: &'a str,
    pub(super) mail: Option<i64>,
    pub(super) account: Option<AccountId>,
}

impl New<'_> {
    /// Writes it and its audit row; false where the address is on the list already, whyever.
    pub(super) async fn write(self, connection: &mut PgConnection, by: &By) -> Result<bool, LedgerError> {
        let Self { address, reason, detail, mail, account } = self;
        let (folded, detail) = (fold_address(address), short(detail));
        let rows = sqlx::query(
            "INSERT INTO mail_suppressions (address, reason, detail, mail_id, actor, at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT ON CONSTRAINT mail_suppressions_pkey DO NOTHING",
        )
        .bind(&folded)
        .bind(reason.as_str())
        .bind(&detail)
        .bind(mail)
        .bind(&by.actor)
        .bind(stamp(by.at)?)
        .execute(&mut *connection)
        .await?
        .rows_affected();
        if rows == 0 {
            return Ok(false);
        }
        let after = json!({ "suppressed": true, "reason": reason, "detail": detail });
        write_audit(connection, by, "address_suppressed", account, Some(folded), None, after).await?;
        Ok(true)
    }
}

impl TryFrom<RawSuppression> for Suppression {
    type Error = LedgerError;

    fn try_from(raw: RawSuppression) -> Result<Self, LedgerError> {
        Ok(Self {
            address: raw.address,
            reason: SuppressionReason::try_from(raw.reason.as_str())?,
            detail: raw.detail,
            mail: raw.mail_id.map(count).transpose()?,
            actor: raw.actor,
            at: time(raw.at)?,
        })
    }
}
