//! What follows from the facts of an account: its status, and the mails about that.

use metering::{AccountId, Status};
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};

use super::done::Done;
use super::effect::SubscriptionStatus;
use super::standing::{Packs, Subscribed, derived};
use super::views::MailKind;
use super::work::{Stop, Work, locked};
use crate::LedgerError;
use crate::change::account::write_status;
use crate::columns::{count, stamp};

#[derive(FromRow)]
struct RawSubscribed {
    status: String,
    was_live: bool,
}

impl Work<'_> {
    /// Derives the status of an account from all facts, and sets it where it differs.
    pub(super) async fn derive_status(&mut self, account: AccountId) -> Result<(), Stop> {
        let facts = facts(&mut *self.connection, account).await?;
        let locked = locked(&mut self.accounts, account)?;
        let (from, to) = (locked.status, derived(locked.status, &facts.subscriptions, facts.packs));
        if from == to {
            return Ok(());
        }
        write_status(&mut *self.connection, locked, to, self.by).await?;
        locked.status = to;
        self.done.push(Done::StatusSet { account, from, to });
        let told = match to {
            Status::Trial => Some(MailKind::TrialStarted),
            Status::Active => Some(MailKind::PlanActive),
            Status::PaymentFailed => Some(MailKind::PaymentFailed),
            Status::Pending => Some(MailKind::PlanEnded),
            Status::Approved | Status::Suspended => None, // an operator's: never derived
        };
        match told {
            Some(kind) => self.mail(account, kind, json!({ "from": from, "to": to })).await,
            None => Ok(()),
        }
    }

    /// Queues a mail to the payer: one of a kind for each delivery, whatever is replayed.
    pub(super) async fn mail(&mut self, account: AccountId, kind: MailKind, detail: Value) -> Result<(), Stop> {
        let cause = self.event.map_or_else(|| format!("repair-{}", self.now().as_u64()), str::to_owned);
        let rows = sqlx::query(include_str!("../../queries/stripe_queue_mail.sql"))
            .bind(account.as_uuid())
            .bind(kind.as_str())
            .bind(detail)
            .bind(format!("{cause}:{kind}:{}", account.hex()))
            .bind(stamp(self.now())?)
            .execute(&mut *self.connection)
            .await?
            .rows_affected();
        if rows > 0 {
            self.done.push(Done::MailQueued { mail: kind });
        }
        Ok(())
    }
}

/// What Stripe has said that counts for an account's status.
pub(super) struct Facts {
    pub(super) subscriptions: Vec<Subscribed>,
    pub(super) packs: Packs,
}

/// Reads them.
pub(super) async fn facts(connection: &mut PgConnection, account: AccountId) -> Result<Facts, LedgerError> {
    let rows: Vec<RawSubscribed> =
        sqlx::query_as("SELECT status, was_live FROM stripe_subscriptions WHERE account_id = $1")
            .bind(account.as_uuid())
            .fetch_all(&mut *connection)
            .await?;
    let subscribed = rows.into_iter().map(|raw| {
        let status = SubscriptionStatus::try_from(raw.status.as_str())?;
        Ok(Subscribed { status, was_live: raw.was_live })
    });
    let subscriptions = subscribed.collect::<Result<_, LedgerError>>()?;
    let (paid, reversed): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE asked < original), count(*) FILTER (WHERE asked >= original) \
         FROM stripe_payments JOIN lots USING (lot_id) \
         WHERE stripe_payments.account_id = $1 AND subscription IS NULL",
    )
    .bind(account.as_uuid())
    .fetch_one(connection)
    .await?;
    Ok(Facts { subscriptions, packs: Packs { paid: count(paid)?, reversed: count(reversed)? } })
}
