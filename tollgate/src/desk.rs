//! What a command works with: the book, live state, who asks and when.

use config::tollgate::Settings;
use ledger::{By, Ledger, LedgerError, PoolSettings, Subject};
use metering::live::Meter;
use metering::{AccountId, TimeMs};
use payments::{Plans, Stripe};
use secrecy::ExposeSecret;

use crate::cli::{ByArgs, NO_REASON};
use crate::failure::Failure;

pub struct Desk {
    pub book: Ledger,
    pub by: By,
    settings: Settings,
}

impl Desk {
    /// The time of every change is the book's: an operator's own clock may be wrong by any amount.
    pub async fn open(settings: Settings, by: ByArgs) -> Result<Self, Failure> {
        let book = Ledger::open(settings.postgres.url.expose_secret(), PoolSettings::default())?;
        let at = book.book_now().await?;
        Ok(Self { book, by: By { actor: by.actor, reason: by.reason, at }, settings })
    }

    pub const fn now(&self) -> TimeMs {
        self.by.at
    }

    /// Live state; it need not answer.
    pub async fn meter(&self) -> Result<Meter, Failure> {
        Ok(Meter::connect(frame::live_balance::place(&self.settings.redis)?).await?)
    }

    pub const fn stripe_settings(&self) -> &config::Stripe {
        &self.settings.stripe
    }

    /// What can be bought.
    pub fn plans(&self) -> Result<Plans, Failure> {
        Ok(Plans::read(&self.settings.stripe)?)
    }

    /// The way to Stripe; it need not answer.
    pub fn stripe(&self) -> Result<Stripe, Failure> {
        Stripe::new(&self.settings.stripe)?.ok_or_else(Failure::stripe_not_configured)
    }

    /// Some changes nobody understands later without a reason; `why` says what makes this one such.
    pub fn insist_on_reason(&self, why: &str) -> Result<(), Failure> {
        if self.by.reason == NO_REASON {
            let message = format!("say why with --reason: {why}");
            return Err(Failure { code: "reason_missing", ..Failure::invalid(message) });
        }
        Ok(())
    }

    /// An account that is not there must not pass as one in which all is well.
    pub async fn refuse_unknown(&self, accounts: &[AccountId]) -> Result<(), Failure> {
        let known = self.book.balances(accounts).await?;
        match accounts.iter().find(|account| known.iter().all(|known| known.account != **account)) {
            Some(unknown) => Err(LedgerError::NotFound { subject: Subject::Account, id: unknown.to_string() }.into()),
            None => Ok(()),
        }
    }

    pub async fn close(&self) {
        self.book.close().await;
    }
}
