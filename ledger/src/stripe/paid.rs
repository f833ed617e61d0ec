//! A payment: recorded once by its key, whoever reports it, and with it the lot that it pays for.

use metering::{AccountId, Credits, LotId};
use serde_json::json;

use super::allowance::due;
use super::checkout::unknown;
use super::done::Done;
use super::effect::Payment;
use super::payments::find;
use super::reports::Said;
use super::views::{MailKind, PaymentView};
use super::work::{Stop, Work, locked};
use crate::LedgerError;
use crate::change::lot::{Grant, Source, insert_grant};
use crate::columns::{bigint, credits, lot_number, stamp};

/// What grants of payments are keyed by, with the payment's id.
const SOURCE: &str = "stripe_payment";

impl Work<'_> {
    pub(super) async fn paid(&mut self, payment: &Payment) -> Result<(), Stop> {
        let names = [payment.session.as_deref(), payment.subscription.as_deref(), payment.customer.as_deref()];
        if let Some(session) = &payment.session
            && self.checkout(session).await?.is_none()
        {
            return Err(unknown(session));
        }
        let account = self.account_of(&names, payment.account).await?;
        match self.known(payment).await? {
            Some(known) => self.paid_again(payment, &known, account).await?,
            None => self.paid_first(payment, account).await.map_err(|stop| stop.about(account))?,
        }
        if let Some(customer) = &payment.customer {
            self.link(customer, account).await?;
        }
        if let Some(said) = Said::paid(payment) {
            self.said(&said, payment.customer.as_deref(), account).await?;
        }
        self.settle_reversals(&payment.own_names()).await?;
        self.touched.insert(account);
        Ok(())
    }

    async fn known(&mut self, payment: &Payment) -> Result<Option<PaymentView>, Stop> {
        let (_, mut known) = find(&mut *self.connection, payment.own_names()).await?;
        known.sort_by_key(|known| known.payment.payment != payment.payment); // its own key before another of its names
        Ok(known.into_iter().next())
    }

    /// It is in the book: only names of it may be new.
    async fn paid_again(&mut self, payment: &Payment, known: &PaymentView, account: AccountId) -> Result<(), Stop> {
        if known.owner != account {
            let detail = format!("{} is {}'s, and it says {account}", payment.payment, known.owner);
            return Err(Stop::parked("account_mismatch", detail).about(known.owner));
        }
        sqlx::query(
            "UPDATE stripe_payments SET payment_intent = coalesce(payment_intent, $2), charge = coalesce(charge, $3), \
             session = coalesce(session, $4) WHERE payment = $1",
        )
        .bind(&known.payment.payment)
        .bind(&payment.payment_intent)
        .bind(&payment.charge)
        .bind(&payment.session)
        .execute(&mut *self.connection)
        .await?;
        self.done.push(Done::AlreadyGranted { payment: known.payment.payment.clone(), lot: known.lot });
        Ok(())
    }

    async fn paid_first(&mut self, payment: &Payment, account: AccountId) -> Result<(), Stop> {
        let count = self.still_due(payment).await?;
        let lot = if count.is_zero() {
            self.done.push(Done::NothingToGrant { payment: payment.payment.clone() });
            None
        } else {
            Some(self.grant_for(payment, account, count).await?)
        };
        sqlx::query(include_str!("../../queries/stripe_insert_payment.sql"))
            .bind(&payment.payment)
            .bind(&payment.payment_intent)
            .bind(&payment.charge)
            .bind(&payment.session)
            .bind(&payment.subscription)
            .bind(&payment.customer)
            .bind(account.as_uuid())
            .bind(&payment.plan)
            .bind(&payment.product)
            .bind(i64::from(payment.credits))
            .bind(payment.prorated)
            .bind(bigint(payment.amount)?)
            .bind(&payment.currency)
            .bind(payment.period_end.map(stamp).transpose()?)
            .bind(stamp(payment.paid_at)?)
            .bind(stamp(payment.expires_at)?)
            .bind(lot.map(lot_number))
            .bind(stamp(self.now())?)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// What it is to grant beside what other payments of the same period have granted.
    async fn still_due(&mut self, payment: &Payment) -> Result<Credits, Stop> {
        let (Some(subscription), Some(period_end)) = (&payment.subscription, payment.period_end) else {
            if payment.prorated {
                let why = "a prorated payment has a subscription and a period";
                return Err(LedgerError::Invalid(why.to_owned()).into());
            }
            return Ok(payment.credits);
        };
        let rows: Vec<(bool, i64, i64)> = sqlx::query_as(
            "SELECT prorated, credits, coalesce(original, 0) FROM stripe_payments LEFT JOIN lots USING (lot_id) \
             WHERE subscription = $1 AND period_end = $2",
        )
        .bind(subscription)
        .bind(stamp(period_end)?)
        .fetch_all(&mut *self.connection)
        .await?;
        let (mut full, mut prorated, mut granted) = (Vec::new(), Vec::new(), Credits::ZERO);
        for (is_prorated, allowance, original) in rows {
            if is_prorated { &mut prorated } else { &mut full }.push(credits(allowance)?);
            granted = granted.checked_add(credits(original)?).unwrap_or(Credits::MAX);
        }
        if payment.prorated { &mut prorated } else { &mut full }.push(payment.credits);
        Ok(due(full, prorated).saturating_sub(granted))
    }

    async fn grant_for(&mut self, payment: &Payment, account: AccountId, count: Credits) -> Result<LotId, Stop> {
        let now = self.now();
        if payment.expires_at <= now {
            let detail = format!("what {} pays for had expired at {}", payment.payment, payment.expires_at);
            return Err(Stop::parked("expired_on_arrival", detail));
        }
        let grant = Grant {
            credits: count,
            product: payment.product.clone(),
            granted_at: payment.paid_at.min(now), // Stripe's clock may be ahead of ours
            expires_at: payment.expires_at,
            source: Some(Source { kind: SOURCE.to_owned(), id: payment.payment.clone() }),
        };
        self.grant(account, &grant, &payment.payment).await
    }

    /// Grants a lot and queues the mail about it. A source that has granted before, by whoever, does not grant again.
    pub(super) async fn grant(&mut self, account: AccountId, grant: &Grant, payment: &str) -> Result<LotId, Stop> {
        let locked = locked(&mut self.accounts, account)?;
        let payment = payment.to_owned();
        let lot = match insert_grant(&mut *self.connection, locked, grant, self.by).await {
            Ok(lot) => lot,
            Err(LedgerError::AlreadyGranted { lot }) => {
                self.done.push(Done::AlreadyGranted { payment, lot: Some(lot) });
                return self.own_lot(account, lot).await;
            }
            Err(error) => return Err(error.into()),
        };
        let Grant { credits, product, expires_at, .. } = grant;
        self.done.push(Done::Granted { payment, account, lot, credits: *credits });
        let detail = json!({ "credits": credits, "product": product, "expires_at": expires_at });
        self.mail(account, MailKind::CreditsGranted, detail).await?;
        Ok(lot)
    }

    async fn own_lot(&mut self, account: AccountId, lot: LotId) -> Result<LotId, Stop> {
        let owner = sqlx::query_scalar("SELECT account_id FROM lots WHERE lot_id = $1")
            .bind(lot_number(lot))
            .fetch_one(&mut *self.connection)
            .await?;
        if AccountId::from_uuid(owner) == account {
            return Ok(lot);
        }
        Err(Stop::parked("account_mismatch", format!("its payment has granted {lot} to another account"))
            .about(account))
    }
}
