//! Money that went back: the payment's lots give up the largest part that a reversal takes, once, never the sum.

use metering::{Credits, LotId};
use sqlx::{FromRow, PgConnection};

use super::done::Done;
use super::effect::{Reversal, ReversalKind};
use super::inbox::wake;
use super::names::closure;
use super::payments::find;
use super::views::PaymentView;
use super::work::{Stop, Work};
use crate::LedgerError;
use crate::change::lot::append_reduction;
use crate::columns::{self, bigint, count, credits, lot_number, stamp};

#[derive(FromRow)]
struct RawReversal {
    refunded: Option<i64>,
    amount: Option<i64>,
    is_won: bool,
}

impl Reversal {
    /// Keeps the fact, with the payment where it is known and the delivery that waits for it where it is not.
    pub(super) async fn keep(&self, connection: &mut PgConnection, payment: Option<&str>) -> Result<(), LedgerError> {
        let nameless = || LedgerError::Invalid("a reversal names its payment".to_owned());
        let (kind, id) = self.id().ok_or_else(nameless)?;
        let (refunded, amount) = match self.kind {
            ReversalKind::Refund { refunded, amount, .. } => (Some(bigint(refunded)?), Some(bigint(amount)?)),
            ReversalKind::Dispute { .. } | ReversalKind::NotPaid => (None, None),
        };
        sqlx::query(include_str!("../../queries/stripe_keep_reversal.sql"))
            .bind(kind)
            .bind(id)
            .bind(&self.payment.invoice)
            .bind(&self.payment.payment_intent)
            .bind(&self.payment.charge)
            .bind(payment)
            .bind(refunded)
            .bind(amount)
            .bind(stamp(self.at)?)
            .execute(connection)
            .await?;
        Ok(())
    }
}

impl Work<'_> {
    pub(super) async fn reversed(&mut self, reversal: &Reversal) -> Result<(), Stop> {
        let (_, payments) = find(&mut *self.connection, reversal.names()).await?;
        let Some(payment) = payments.first() else {
            return Err(Stop::PaymentUnknown(Box::new(reversal.clone())));
        };
        let key = payment.payment.payment.as_str();
        let kept = reversal.keep(&mut *self.connection, Some(key)).await;
        kept.map_err(|error| Stop::from(error).about(payment.owner))?;
        // What the payment is known by, and not all that this reversal names.
        let names: Vec<String> = closure(&mut *self.connection, [key]).await?.into_iter().collect();
        self.settle(payment, &names).await
    }

    pub(super) async fn payment_linked(&mut self, invoice: &str, payment_intent: &str) -> Result<(), Stop> {
        sqlx::query("INSERT INTO stripe_links (payment_intent, invoice) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(payment_intent)
            .bind(invoice)
            .execute(&mut *self.connection)
            .await?;
        let (names, payments) = find(&mut *self.connection, [invoice]).await?;
        match payments.as_slice() {
            [] => Ok(()),
            [payment] => self.settle(payment, &names).await,
            [one, other, ..] => {
                let (one_key, other_key) = (&one.payment.payment, &other.payment.payment);
                let detail = format!("{one_key} and {other_key} are one payment, and both are recorded");
                Err(Stop::parked("paid_twice", detail).about(one.owner))
            }
        }
    }

    /// Settles the payment that has one of these names, where it is known.
    pub(super) async fn settle_reversals(&mut self, names: &[&str]) -> Result<(), Stop> {
        let (names, payments) = find(&mut *self.connection, names.iter().copied()).await?;
        match payments.first() {
            Some(payment) => self.settle(payment, &names).await,
            None => Ok(()),
        }
    }

    /// Takes back what the reversals of this payment ask for beyond what was asked, also those that waited for it.
    async fn settle(&mut self, payment: &PaymentView, names: &[String]) -> Result<(), Stop> {
        self.attach(payment, names).await?;
        let target = self.target(payment).await?;
        let missing = target.saturating_sub(payment.asked);
        if missing.is_zero() {
            return Ok(());
        }
        self.set_asked(payment, target).await?;
        self.ask_lots(payment, missing).await?;
        self.touched.insert(payment.owner);
        Ok(())
    }

    /// Deliveries that waited for this payment are settled with it.
    async fn attach(&mut self, payment: &PaymentView, names: &[String]) -> Result<(), Stop> {
        let waited = sqlx::query(include_str!("../../queries/stripe_attach_reversals.sql"))
            .bind(&payment.payment.payment)
            .bind(names)
            .execute(&mut *self.connection)
            .await?
            .rows_affected();
        if waited > 0 {
            let now = self.now();
            let woken = wake(&mut *self.connection, names, Some(payment.owner), now).await?;
            self.done.extend(woken.into_iter().map(|event| Done::Unparked { event }));
        }
        Ok(())
    }

    /// The largest part of the payment's lot that a reversal that stands takes.
    pub(super) async fn target(&mut self, payment: &PaymentView) -> Result<Credits, Stop> {
        let rows: Vec<RawReversal> = sqlx::query_as(
            "SELECT refunded, amount, won_at IS NOT NULL AS is_won FROM stripe_reversals WHERE payment = $1",
        )
        .bind(&payment.payment.payment)
        .fetch_all(&mut *self.connection)
        .await?;
        let mut largest = Credits::ZERO;
        for raw in rows {
            let target = match (raw.refunded, raw.amount) {
                _ if raw.is_won => Credits::ZERO,
                (Some(refunded), Some(amount)) => payment.refund_target(count(refunded)?, count(amount)?),
                _ => payment.granted,
            };
            largest = largest.max(target);
        }
        Ok(largest)
    }

    pub(super) async fn set_asked(&mut self, payment: &PaymentView, asked: Credits) -> Result<(), Stop> {
        sqlx::query("UPDATE stripe_payments SET asked = $2 WHERE payment = $1")
            .bind(&payment.payment.payment)
            .bind(i64::from(asked))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Asks first the lots that gave back what a dispute had taken, the latest first; then the payment's own.
    async fn ask_lots(&mut self, payment: &PaymentView, missing: Credits) -> Result<(), Stop> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(include_str!("../../queries/stripe_returned_lots.sql"))
            .bind(&payment.payment.payment)
            .fetch_all(&mut *self.connection)
            .await?;
        let mut missing = missing;
        for (lot, room) in rows {
            let part = credits(room.max(0))?.min(missing);
            self.ask_lot(payment, columns::lot(lot)?, part).await?;
            missing = missing.saturating_sub(part);
        }
        match payment.lot {
            Some(lot) => self.ask_lot(payment, lot, missing).await,
            None => Ok(()),
        }
    }

    async fn ask_lot(&mut self, payment: &PaymentView, lot: LotId, count: Credits) -> Result<(), Stop> {
        if count.is_zero() {
            return Ok(());
        }
        let row = match append_reduction(&mut *self.connection, lot, count, self.by).await {
            Ok(appended) => Some(bigint(appended.row)?),
            Err(LedgerError::LotSwept { .. }) => None, // it has expired: there is nothing to take
            Err(error) => return Err(error.into()),
        };
        sqlx::query(
            "INSERT INTO stripe_clawbacks (payment, account_id, lot_id, asked, outbox_row, at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&payment.payment.payment)
        .bind(payment.owner.as_uuid())
        .bind(lot_number(lot))
        .bind(i64::from(count))
        .bind(row)
        .bind(stamp(self.now())?)
        .execute(&mut *self.connection)
        .await?;
        let payment = payment.payment.payment.clone();
        self.done.push(Done::ClawedBack { payment, lot, credits: count });
        Ok(())
    }
}
