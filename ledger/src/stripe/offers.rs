//! Prices as Stripe has them, and how far the book was compared with Stripe.

use metering::TimeMs;
use serde_json::json;
use sqlx::{FromRow, PgConnection};

use super::effect::Offer;
use super::limits;
use crate::change::{By, write_audit};
use crate::columns::{Stamp, bigint, count, stamp, time};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

#[derive(FromRow)]
struct RawOffer {
    price: String,
    product: String,
    amount: Option<i64>,
    currency: String,
    period: Option<String>,
    active: bool,
    product_active: bool,
    name: String,
    as_of: Stamp,
}

impl Ledger {
    /// Every price that was seen.
    pub async fn offers(&self) -> Result<Vec<Offer>, LedgerError> {
        let rows: Vec<RawOffer> = sqlx::query_as(
            "SELECT price, product, amount, currency, period, active, product_active, name, as_of FROM stripe_offers \
             ORDER BY price",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Offer::try_from).collect()
    }

    /// Notes prices as a look at Stripe found them.
    pub async fn put_offers(&self, offers: &[Offer], by: &By) -> Result<(), LedgerError> {
        let mut offers: Vec<&Offer> = offers.iter().collect();
        offers.sort_by(|one, other| one.price.cmp(&other.price)); // two that look at once wait in one order
        let mut transaction = self.begin().await?;
        for offer in &offers {
            limits::id(&offer.price)?;
            offer.put(&mut transaction).await?;
        }
        let after = json!({ "prices": offers.iter().map(|offer| &offer.price).collect::<Vec<_>>() });
        write_audit(&mut transaction, by, "offers_synced", None, None, None, after).await?;
        commit(transaction).await
    }

    /// Up to when the book was compared with Stripe and nothing was left.
    pub async fn reconcile_mark(&self) -> Result<Option<TimeMs>, LedgerError> {
        let mark: Option<Stamp> =
            sqlx::query_scalar("SELECT mark FROM stripe_reconciled").fetch_optional(&self.pool).await?;
        mark.map(time).transpose()
    }

    /// Moves that mark; it never goes back.
    pub async fn set_reconcile_mark(&self, mark: TimeMs) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO stripe_reconciled AS known (mark) VALUES ($1) ON CONFLICT ON CONSTRAINT stripe_reconciled_pkey \
             DO UPDATE SET mark = greatest(known.mark, excluded.mark)",
        )
        .bind(stamp(mark)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

impl Offer {
    pub(super) async fn put(&self, connection: &mut PgConnection) -> Result<(), LedgerError> {
        sqlx::query(include_str!("../../queries/stripe_put_offer.sql"))
            .bind(&self.price)
            .bind(&self.product)
            .bind(self.amount.map(bigint).transpose()?)
            .bind(&self.currency)
            .bind(&self.interval)
            .bind(self.active)
            .bind(self.product_active)
            .bind(&self.name)
            .bind(stamp(self.as_of)?)
            .execute(connection)
            .await?;
        Ok(())
    }
}

impl TryFrom<RawOffer> for Offer {
    type Error = LedgerError;

    fn try_from(raw: RawOffer) -> Result<Self, LedgerError> {
        Ok(Self {
            price: raw.price,
            product: raw.product,
            amount: raw.amount.map(count).transpose()?,
            currency: raw.currency,
            interval: raw.period,
            active: raw.active,
            product_active: raw.product_active,
            name: raw.name,
            as_of: time(raw.as_of)?,
        })
    }
}
