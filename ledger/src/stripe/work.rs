//! The work on one delivery: what is locked for it, what it has learnt, and what it did so far.

use std::collections::{BTreeMap, BTreeSet};

use metering::{AccountId, TimeMs};
use sqlx::PgConnection;
use uuid::Uuid;

use super::delivery::Parking;
use super::done::Done;
use super::effect::{Effect, Reversal};
use super::inbox::wake;
use crate::change::{By, Locked, lock};
use crate::{LedgerError, Subject};

/// Why the effects can't be applied.
pub(super) enum Stop {
    /// An operator must look at it.
    Parked { why: Parking, account: Option<AccountId> },
    /// Money went back of a payment that is not here yet: that much is kept.
    PaymentUnknown(Box<Reversal>),
    /// It can be applied soon.
    Postponed(String),
    /// The book did not do its work.
    Failed(LedgerError),
}

impl Stop {
    pub(super) fn parked(code: &str, detail: impl Into<String>) -> Self {
        Self::Parked { why: Parking::new(code, detail), account: None }
    }

    /// The same about an account.
    pub(super) fn about(self, about: AccountId) -> Self {
        match self {
            Self::Parked { why, account: None } => Self::Parked { why, account: Some(about) },
            other => other,
        }
    }
}

impl From<LedgerError> for Stop {
    /// What is wrong with the values is the delivery's; anything else is the book's.
    fn from(error: LedgerError) -> Self {
        match &error {
            LedgerError::Invalid(_) | LedgerError::TooManyLots { .. } => Self::parked(error.code(), error.to_string()),
            LedgerError::Database(refusal) if refuses_values(refusal) => {
                Self::parked(error.code(), refusal.to_string())
            }
            _ => Self::Failed(error),
        }
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        LedgerError::from(error).into()
    }
}

fn refuses_values(refusal: &sqlx::Error) -> bool {
    let code = refusal.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| matches!(code.get(..2), Some("22" | "23")))
}

/// Effects being applied. Everything they name is locked.
pub(super) struct Work<'a> {
    pub(super) connection: &'a mut PgConnection,
    pub(super) event: Option<&'a str>,
    pub(super) by: &'a By,
    /// The accounts they may touch, locked in the order of their ids.
    pub(super) accounts: BTreeMap<AccountId, Locked>,
    /// Those whose status must be derived anew.
    pub(super) touched: BTreeSet<AccountId>,
    /// Customers and subscriptions whose account the book knows from now on.
    pub(super) learnt: Vec<String>,
    pub(super) done: Vec<Done>,
}

impl<'a> Work<'a> {
    pub(super) async fn begin(
        connection: &'a mut PgConnection,
        event: Option<&'a str>,
        by: &'a By,
        effects: &[Effect],
        names: &BTreeSet<String>,
    ) -> Result<Self, Stop> {
        let names: Vec<&String> = names.iter().collect();
        let known: Vec<Uuid> = sqlx::query_scalar(include_str!("../../queries/stripe_accounts_named.sql"))
            .bind(&names)
            .fetch_all(&mut *connection)
            .await?;
        let mut ids: BTreeSet<AccountId> = known.into_iter().map(AccountId::from_uuid).collect();
        ids.extend(effects.iter().filter_map(Effect::claims));
        let mut accounts = BTreeMap::new();
        for account in ids {
            match lock(&mut *connection, account).await {
                Ok(locked) => _ = accounts.insert(account, locked),
                // Whoever claims it will not find it.
                Err(LedgerError::NotFound { subject: Subject::Account, .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { connection, event, by, accounts, touched: BTreeSet::new(), learnt: Vec::new(), done: Vec::new() })
    }

    pub(super) async fn apply(&mut self, effects: &[Effect]) -> Result<(), Stop> {
        for effect in effects {
            self.apply_one(effect).await?;
        }
        for account in std::mem::take(&mut self.touched) {
            self.derive_status(account).await?;
        }
        let woken = wake(&mut *self.connection, &self.learnt, None, self.by.at).await?;
        self.done.extend(woken.into_iter().map(|event| Done::Unparked { event }));
        Ok(())
    }

    async fn apply_one(&mut self, effect: &Effect) -> Result<(), Stop> {
        match effect {
            Effect::CustomerSeen { customer, account, email, as_of } => {
                self.customer_seen(customer, *account, email.as_deref(), *as_of).await
            }
            Effect::CustomerDeleted { customer, as_of } => self.customer_deleted(customer, *as_of).await,
            Effect::CheckoutEnded(end) => self.checkout_ended(end).await,
            Effect::Paid(payment) => self.paid(payment).await,
            Effect::PaymentLinked { invoice, payment_intent } => self.payment_linked(invoice, payment_intent).await,
            Effect::InvoiceFailed(failure) => self.invoice_failed(failure).await,
            Effect::SubscriptionSeen(report) => self.subscription_seen(report).await,
            Effect::Reversed(reversal) => self.reversed(reversal).await,
            Effect::DisputeWon { dispute, at } => self.dispute_won(dispute, *at).await,
            Effect::OfferSeen(offer) => offer.put(&mut *self.connection).await.map_err(Stop::from),
            Effect::TrialEnding { subscription, at } => self.trial_ending(subscription, *at).await,
        }
    }

    pub(super) const fn now(&self) -> TimeMs {
        self.by.at
    }

    /// Whose it is. All that the book knows must agree, and so must what the effect says itself.
    pub(super) async fn account_of(
        &mut self,
        names: &[Option<&str>],
        claimed: Option<AccountId>,
    ) -> Result<AccountId, Stop> {
        let names: Vec<&str> = names.iter().flatten().copied().collect();
        let known: Vec<Uuid> = sqlx::query_scalar(include_str!("../../queries/stripe_accounts_named.sql"))
            .bind(&names)
            .fetch_all(&mut *self.connection)
            .await?;
        let account = match known.as_slice() {
            [] => claimed.ok_or_else(|| {
                Stop::parked("account_unknown", format!("nothing says whose {} is", names.join(", ")))
            })?,
            [only] => AccountId::from_uuid(*only),
            several => {
                let detail = format!("{} belong to {} accounts", names.join(", "), several.len());
                return Err(Stop::parked("account_mismatch", detail));
            }
        };
        if let Some(claimed) = claimed
            && claimed != account
        {
            let detail = format!("{} is {account}'s, and it says {claimed}", names.join(", "));
            return Err(Stop::parked("account_mismatch", detail).about(account));
        }
        if !self.accounts.contains_key(&account) {
            return Err(Stop::parked("account_unknown", format!("there is no {account}")));
        }
        Ok(account)
    }
}

/// An account that this work has locked. Of the accounts alone, so that the connection stays free.
pub(super) fn locked(
    accounts: &mut BTreeMap<AccountId, Locked>,
    account: AccountId,
) -> Result<&mut Locked, LedgerError> {
    accounts.get_mut(&account).ok_or_else(|| LedgerError::Corrupt(format!("{account} is changed and not locked")))
}

impl Effect {
    /// The account that it names itself.
    const fn claims(&self) -> Option<AccountId> {
        match self {
            Self::CustomerSeen { account, .. } => *account,
            Self::CheckoutEnded(end) => end.account,
            Self::Paid(payment) => payment.account,
            Self::InvoiceFailed(failure) => failure.account,
            Self::SubscriptionSeen(report) => report.account,
            _ => None,
        }
    }
}
