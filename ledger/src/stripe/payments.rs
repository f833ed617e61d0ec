//! Reading payments: what each granted, and what of it was taken back.

use metering::{AccountId, Credits, TimeMs};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::effect::{Payment, PaymentRef};
use super::names::closure;
use super::views::{PaymentCursor, PaymentView};
use crate::columns::{self, Stamp, count, credits, maybe_time, stamp, time};
use crate::{Ledger, LedgerError};

#[derive(FromRow)]
struct RawPayment {
    payment: String,
    payment_intent: Option<String>,
    charge: Option<String>,
    session: Option<String>,
    subscription: Option<String>,
    customer: Option<String>,
    account_id: Uuid,
    plan: String,
    product: String,
    credits: i64,
    prorated: bool,
    amount: i64,
    currency: String,
    period_end: Option<Stamp>,
    paid_at: Stamp,
    expires_at: Stamp,
    lot_id: Option<i64>,
    asked: i64,
    granted: i64,
    is_drained: bool,
    taken: i64,
    returned: i64,
}

/// Which payments to read.
enum Which<'a> {
    Named(&'a [String]),
    Of(AccountId),
    Since(TimeMs, Option<&'a PaymentCursor>),
}

impl Ledger {
    /// Payments since an instant, oldest first; the next page begins at the cursor of the last.
    pub async fn payments(
        &self,
        since: TimeMs,
        after: Option<&PaymentCursor>,
        limit: u32,
    ) -> Result<Vec<PaymentView>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, Which::Since(since, after), limit).await
    }

    /// An account's payments, latest first.
    pub async fn payments_of(&self, account: AccountId, limit: u32) -> Result<Vec<PaymentView>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, Which::Of(account), limit).await
    }

    /// The payment that has one of these names, also through what links them.
    pub async fn payment(&self, names: &PaymentRef) -> Result<Option<PaymentView>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        Ok(find(&mut connection, names.names()).await?.1.into_iter().next())
    }
}

/// All names that mean the same payment as these, and what is recorded under them.
pub(super) async fn find(
    connection: &mut PgConnection,
    seeds: impl IntoIterator<Item = &str>,
) -> Result<(Vec<String>, Vec<PaymentView>), LedgerError> {
    let names: Vec<String> = closure(&mut *connection, seeds).await?.into_iter().collect();
    let payments = named(connection, &names).await?;
    Ok((names, payments))
}

/// Payments that have one of these names; one, unless one payment was reported under two.
async fn named(connection: &mut PgConnection, names: &[String]) -> Result<Vec<PaymentView>, LedgerError> {
    read(connection, Which::Named(names), 2).await
}

async fn read(connection: &mut PgConnection, which: Which<'_>, limit: u32) -> Result<Vec<PaymentView>, LedgerError> {
    let (names, account, since, after) = match which {
        Which::Named(names) => (Some(names), None, None, None),
        Which::Of(account) => (None, Some(account), None, None),
        Which::Since(since, after) => (None, None, Some(since), after),
    };
    let rows: Vec<RawPayment> = sqlx::query_as(include_str!("../../queries/stripe_payments.sql"))
        .bind(names)
        .bind(account.map(|account| account.as_uuid()))
        .bind(since.map(stamp).transpose()?)
        .bind(after.map(|cursor| stamp(cursor.paid_at)).transpose()?)
        .bind(after.map(|cursor| &cursor.payment))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(PaymentView::try_from).collect()
}

impl TryFrom<RawPayment> for PaymentView {
    type Error = LedgerError;

    fn try_from(raw: RawPayment) -> Result<Self, LedgerError> {
        let account = AccountId::from_uuid(raw.account_id);
        let payment = Payment {
            payment: raw.payment,
            payment_intent: raw.payment_intent,
            charge: raw.charge,
            session: raw.session,
            subscription: raw.subscription,
            customer: raw.customer,
            account: Some(account),
            plan: raw.plan,
            product: raw.product,
            credits: credits(raw.credits)?,
            prorated: raw.prorated,
            amount: count(raw.amount)?,
            currency: raw.currency,
            period_end: maybe_time(raw.period_end)?,
            paid_at: time(raw.paid_at)?,
            expires_at: time(raw.expires_at)?,
        };
        let asked = credits(raw.asked)?;
        let taken: Credits = credits(raw.taken)?.saturating_sub(credits(raw.returned)?);
        let taken = raw.is_drained.then_some(taken);
        Ok(Self {
            payment,
            owner: account,
            lot: raw.lot_id.map(columns::lot).transpose()?,
            granted: credits(raw.granted)?,
            asked,
            taken,
            shortfall: taken.map(|taken| asked.saturating_sub(taken)),
        })
    }
}
