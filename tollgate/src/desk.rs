//! What a command works with: the book, live state, who asks and when.

use config::tollgate::Settings;
use ledger::{By, Ledger, PoolSettings};
use metering::TimeMs;
use metering::live::Meter;
use secrecy::ExposeSecret;

use crate::cli::ByArgs;
use crate::failure::Failure;
use crate::live_balance;

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
        Ok(Meter::connect(live_balance::place(&self.settings.redis)?).await?)
    }

    pub async fn close(&self) {
        self.book.close().await;
    }
}
