//! What sessions need to know of their accounts, remembered: the status, and which sessions are still good.
//!
//! A key's entry says it for keys. Changes are pushed, so a warm session asks nothing beside its debit.

use std::sync::Arc;
use std::time::Duration;

use metering::AccountId;
use metering::live::{AccountStanding, Meter, MeterError};

use crate::key_cache::Ages;
use crate::meter_call::{Unanswered, within};
use crate::metrics::{Metrics, StandingLookup};
use crate::remembered::{Hearing, Known, Remembered};

#[derive(Clone)]
pub struct AccountStandings {
    entries: Remembered<AccountId, Arc<AccountStanding>>,
    fresh: Duration,
    meter: Meter,
    wait_max: Duration,
    metrics: Arc<Metrics>,
}

impl AccountStandings {
    /// Entries hold for as long as those of keys.
    pub fn new(meter: Meter, ages: Ages, hearing: Hearing, wait_max: Duration, metrics: Arc<Metrics>) -> Self {
        let entries = Remembered::new(hearing, ages.entries_max, ages.stale_max);
        Self { entries, fresh: ages.fresh, meter, wait_max, metrics }
    }

    /// `may_be_stale`: when live state can't be asked, what was last known will do.
    pub async fn find(&self, account: AccountId, may_be_stale: bool) -> Result<Arc<AccountStanding>, Unanswered> {
        let stale = match self.entries.known(account).await {
            Known::Fresh(standing) => {
                self.metrics.sessions.standing(StandingLookup::Hit);
                return Ok(standing);
            }
            Known::Stale(standing) => Some(standing),
            Known::Nothing => None,
        };
        let found = within(self.wait_max, self.entries.read(account, self.ask(account))).await;
        self.metrics.sessions.standing(if found.is_ok() { StandingLookup::Read } else { StandingLookup::Failed });
        match found {
            Ok(Some(standing)) => Ok(standing),
            Ok(None) => Err(Unanswered::Uncertified),
            Err(unanswered) => stale.filter(|_| may_be_stale).ok_or(unanswered),
        }
    }

    pub async fn forget(&self, account: AccountId) {
        self.entries.forget(account).await;
    }

    async fn ask(&self, account: AccountId) -> Result<(Arc<AccountStanding>, Duration), MeterError> {
        let standing = self.meter.standing(account).await?;
        Ok((Arc::new(standing), self.fresh))
    }
}
