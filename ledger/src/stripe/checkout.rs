//! Checkouts: ours before anybody sees them, and what became of them. What does not agree with our own row grants nothing.

use metering::{AccountId, TimeMs};
use serde_json::json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::done::Done;
use super::effect::{Checkout, CheckoutEnd, CheckoutOutcome};
use super::limits;
use super::views::{CheckoutState, CheckoutView};
use super::work::{Stop, Work};
use crate::change::{Audit, By, lock};
use crate::columns::{Stamp, bigint, count, maybe_time, stamp, time};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

#[derive(FromRow)]
struct RawCheckout {
    session: String,
    account_id: Uuid,
    customer: String,
    plan: String,
    price: String,
    recurring: bool,
    amount: i64,
    currency: String,
    url: String,
    opened_at: Stamp,
    expires_at: Option<Stamp>,
    state: String,
    email: Option<String>,
    subscription: Option<String>,
    payment_intent: Option<String>,
    ended_at: Option<Stamp>,
}

impl Ledger {
    /// Enters a checkout that was opened, before anybody is shown its URL. Entering it again changes nothing.
    pub async fn enter_checkout(&self, checkout: &Checkout, by: &By) -> Result<(), LedgerError> {
        let Checkout { session, account, customer, plan, price, recurring, amount, currency, url, .. } = checkout;
        [session, customer, plan, price, currency].into_iter().try_for_each(|id| limits::id(id))?;
        let mut transaction = self.begin().await?;
        lock(&mut transaction, *account).await?;
        let rows = sqlx::query(include_str!("../../queries/stripe_enter_checkout.sql"))
            .bind(session)
            .bind(account.as_uuid())
            .bind(customer)
            .bind(plan)
            .bind(price)
            .bind(recurring)
            .bind(bigint(*amount)?)
            .bind(currency)
            .bind(url)
            .bind(stamp(checkout.opened_at)?)
            .bind(checkout.expires_at.map(stamp).transpose()?)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if rows > 0 {
            let after = json!({ "plan": plan, "price": price, "amount": amount, "currency": currency });
            let (account, subject) = (*account, Some(session.clone()));
            Audit { by, action: "checkout_opened", account, subject, before: None, after }
                .write(&mut transaction)
                .await?;
        }
        commit(transaction).await
    }

    /// A checkout of ours.
    pub async fn checkout(&self, session: &str) -> Result<Option<CheckoutView>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        Ok(read(&mut connection, Some(session), None, 1).await?.pop())
    }

    /// An account's checkouts, latest first.
    pub async fn checkouts(&self, account: AccountId, limit: u32) -> Result<Vec<CheckoutView>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, None, Some(account), limit).await
    }
}

impl Work<'_> {
    pub(super) async fn checkout_ended(&mut self, end: &CheckoutEnd) -> Result<(), Stop> {
        let Some(ours) = self.checkout(&end.session).await? else {
            // A session of which nobody was shown the URL: it can run out, and nothing else.
            if matches!(end.outcome, CheckoutOutcome::Expired | CheckoutOutcome::Failed) {
                return Ok(());
            }
            return Err(unknown(&end.session));
        };
        let account = ours.checkout.account;
        if matches!(end.outcome, CheckoutOutcome::Completed | CheckoutOutcome::Paid) {
            agrees(&ours.checkout, end).map_err(|stop| stop.about(account))?;
        }
        let names = [Some(end.session.as_str()), end.subscription.as_deref(), end.customer.as_deref()];
        let account = self.account_of(&names, end.account).await?;
        let state = ours.state.max(reached(end.outcome));
        sqlx::query(include_str!("../../queries/stripe_end_checkout.sql"))
            .bind(&end.session)
            .bind(state.as_str())
            .bind(&end.email)
            .bind(&end.subscription)
            .bind(&end.payment_intent)
            .bind(stamp(end.at)?)
            .execute(&mut *self.connection)
            .await?;
        if let Some(customer) = &end.customer {
            self.link(customer, account).await?;
        }
        self.learnt.extend(end.subscription.clone());
        self.touched.insert(account);
        self.done.push(Done::CheckoutMoved { session: end.session.clone(), state });
        Ok(())
    }

    pub(super) async fn checkout(&mut self, session: &str) -> Result<Option<CheckoutView>, Stop> {
        Ok(read(&mut *self.connection, Some(session), None, 1).await?.pop())
    }
}

pub(super) fn unknown(session: &str) -> Stop {
    Stop::parked("checkout_unknown", format!("{session} is no checkout of ours"))
}

/// What Stripe says is what we asked for: whose it is, what it costs, in which currency.
fn agrees(ours: &Checkout, end: &CheckoutEnd) -> Result<(), Stop> {
    if let Some(claimed) = end.account
        && claimed != ours.account
    {
        let detail = format!("{} is {}'s, and it says {claimed}", ours.session, ours.account);
        return Err(Stop::parked("account_mismatch", detail));
    }
    if end.amount != Some(ours.amount) {
        let said = end.amount.map_or_else(|| "nothing".to_owned(), |amount| amount.to_string());
        let detail = format!("{} costs {} {}, and it says {said}", ours.session, ours.amount, ours.currency);
        return Err(Stop::parked("amount_mismatch", detail));
    }
    if end.currency.as_ref() != Some(&ours.currency) {
        let said = end.currency.as_deref().unwrap_or("nothing");
        let detail = format!("{} is in {}, and it says {said}", ours.session, ours.currency);
        return Err(Stop::parked("currency_mismatch", detail));
    }
    Ok(())
}

const fn reached(outcome: CheckoutOutcome) -> CheckoutState {
    match outcome {
        CheckoutOutcome::Expired => CheckoutState::Expired,
        CheckoutOutcome::Completed => CheckoutState::Completed,
        CheckoutOutcome::Failed => CheckoutState::Failed,
        CheckoutOutcome::Paid => CheckoutState::Paid,
    }
}

async fn read(
    connection: &mut PgConnection,
    session: Option<&str>,
    account: Option<AccountId>,
    limit: u32,
) -> Result<Vec<CheckoutView>, LedgerError> {
    let rows: Vec<RawCheckout> = sqlx::query_as(include_str!("../../queries/stripe_checkout.sql"))
        .bind(session)
        .bind(account.map(|account| account.as_uuid()))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(CheckoutView::try_from).collect()
}

impl TryFrom<RawCheckout> for CheckoutView {
    type Error = LedgerError;

    fn try_from(raw: RawCheckout) -> Result<Self, LedgerError> {
        let opened_at: TimeMs = time(raw.opened_at)?;
        let checkout = Checkout {
            session: raw.session,
            account: AccountId::from_uuid(raw.account_id),
            customer: raw.customer,
            plan: raw.plan,
            price: raw.price,
            recurring: raw.recurring,
            amount: count(raw.amount)?,
            currency: raw.currency,
            url: raw.url,
            opened_at,
            expires_at: maybe_time(raw.expires_at)?,
        };
        Ok(Self {
            checkout,
            state: CheckoutState::try_from(raw.state.as_str())?,
            email: raw.email,
            subscription: raw.subscription,
            payment_intent: raw.payment_intent,
            ended_at: maybe_time(raw.ended_at)?,
        })
    }
}
