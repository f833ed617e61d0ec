//! A dispute that was decided for us: what it had taken is granted again, as far as no other reversal takes it.

use metering::{Credits, TimeMs};

use super::done::Done;
use super::payments::find;
use super::views::PaymentView;
use super::work::{Stop, Work};
use crate::change::lot::{Grant, Source};
use crate::columns::{lot_number, stamp, time};

/// What such grants are keyed by, with the dispute's id.
const SOURCE: &str = "stripe_dispute_won";

impl Work<'_> {
    pub(super) async fn dispute_won(&mut self, dispute: &str, at: TimeMs) -> Result<(), Stop> {
        let payment = find(&mut *self.connection, [dispute]).await?.1.into_iter().next();
        // Kept also when nobody has told of the dispute yet: then it will take nothing.
        let is_news = sqlx::query(
            "INSERT INTO stripe_reversals AS known (kind, id, won_at) VALUES ('dispute', $1, $2) \
             ON CONFLICT ON CONSTRAINT stripe_reversals_pkey DO UPDATE SET won_at = $2 WHERE known.won_at IS NULL",
        )
        .bind(dispute)
        .bind(stamp(at)?)
        .execute(&mut *self.connection)
        .await?
        .rows_affected()
            > 0;
        match payment {
            Some(payment) if is_news => self.return_taken(&payment, dispute).await,
            _ => Ok(()),
        }
    }

    async fn return_taken(&mut self, payment: &PaymentView, dispute: &str) -> Result<(), Stop> {
        let stands = self.target(payment).await?;
        if stands >= payment.asked {
            return Ok(()); // another reversal takes as much
        }
        let Some(taken) = payment.taken else {
            return Err(Stop::Postponed(format!("what {dispute} has taken is not in the book yet")));
        };
        self.set_asked(payment, stands).await?;
        self.touched.insert(payment.owner);
        self.grant_again(payment, dispute, taken.saturating_sub(stands)).await
    }

    async fn grant_again(&mut self, payment: &PaymentView, dispute: &str, count: Credits) -> Result<(), Stop> {
        let Some(lot) = payment.lot else { return Ok(()) };
        let expires_at = sqlx::query_scalar("SELECT expires_at FROM lots WHERE lot_id = $1")
            .bind(lot_number(lot))
            .fetch_one(&mut *self.connection)
            .await?;
        let (now, expires_at) = (self.now(), time(expires_at)?); // an operator may have moved it
        if count.is_zero() || expires_at <= now {
            return Ok(());
        }
        let grant = Grant {
            credits: count,
            product: payment.payment.product.clone(),
            granted_at: now,
            expires_at,
            source: Some(Source { kind: SOURCE.to_owned(), id: dispute.to_owned() }),
        };
        let lot = self
            .grant(payment.owner, &grant, &payment.payment.payment)
            .await
            .map_err(|stop| stop.about(payment.owner))?;
        sqlx::query("UPDATE stripe_reversals SET returned_lot = $2 WHERE kind = 'dispute' AND id = $1")
            .bind(dispute)
            .bind(lot_number(lot))
            .execute(&mut *self.connection)
            .await?;
        self.done.push(Done::DisputeReturned { dispute: dispute.to_owned(), lot, credits: count });
        Ok(())
    }
}
