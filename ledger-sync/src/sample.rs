//! Verifies all the time, a few accounts at a time: book recomputed from its entries, live state compared with the book.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::{Comparison, LookError, look};
use metering::AccountId;
use metering::live::Meter;
use tracing::{debug, error};

use crate::service::Service;

/// Accounts looked at together.
const ACCOUNTS_A_PAGE: u32 = 50;
/// Pause between two pages, and how many times longer than the page it is at least: a sample, not a load. Accounts with millions of
/// entries take the book a while to add up.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_TIMES: u32 = 30;

/// What the pages of one round through all accounts have found so far.
#[derive(Default)]
struct Round {
    after: Option<AccountId>,
    drift: u64,
    differences: u64,
}

/// Goes through all accounts, again and again, until the service stops.
pub async fn run(service: Arc<Service>) {
    let Ok(meter) = Meter::connect(&service.redis).await else { return };
    let (mut round, mut pause) = (Round::default(), PAUSE);
    loop {
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let started = Instant::now();
        let looked = round.page(&service, &meter).await;
        pause = PAUSE.max(started.elapsed() * PAUSE_TIMES);
        match looked {
            Ok(true) => {}
            Ok(false) => {
                service.metrics.drift_credits.set(i64::try_from(round.drift).unwrap_or(i64::MAX));
                service.metrics.differences.set(i64::try_from(round.differences).unwrap_or(i64::MAX));
                let seconds = service.clock.now().as_u64() / 1_000;
                service.metrics.verified_round_at.set(i64::try_from(seconds).unwrap_or(i64::MAX));
                round = Round::default();
            }
            // While a store is away there is nothing to compare; the owners say so.
            Err(error) => debug!("no sample: {}", frame::chain(&error)),
        }
    }
}

impl Round {
    /// Looks at one page; answers whether there are more in this round.
    async fn page(&mut self, service: &Service, meter: &Meter) -> Result<bool, LookError> {
        let accounts = service.book.accounts_after(self.after, ACCOUNTS_A_PAGE).await?;
        let Some(last) = accounts.last().copied() else { return Ok(false) };
        let differences = service.book.recompute(&accounts).await?;
        for difference in &differences {
            self.found(service, &difference.to_string(), 0);
        }
        for difference in service.book.recount_usage(&accounts).await? {
            self.found(service, &difference.to_string(), 0);
        }
        let seen = look(&service.book, meter, &accounts).await?;
        service.book.note_verified(&seen, &differences, service.clock.now()).await?;
        for seen in seen {
            if let Comparison::Differs(drifts) = seen.comparison {
                for drift in drifts {
                    self.found(service, &format!("{}: {drift}", seen.account), drift.credits());
                }
            }
        }
        service.metrics.verified.inc_by(u64::try_from(accounts.len()).unwrap_or(0));
        self.after = Some(last);
        Ok(true)
    }

    /// A difference is known at once, and stays shown until a whole round has found none.
    fn found(&mut self, service: &Service, what: &str, credits: u64) {
        error!(difference = what, "book and live state differ: {what}");
        self.drift = self.drift.saturating_add(credits);
        self.differences = self.differences.saturating_add(1);
        let shown = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        service.metrics.drift_credits.set(service.metrics.drift_credits.get().max(shown(self.drift)));
        service.metrics.differences.set(service.metrics.differences.get().max(shown(self.differences)));
    }
}
