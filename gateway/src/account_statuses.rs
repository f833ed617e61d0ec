//! What accounts may do, for sessions on free routes: no key says it, so live state is asked, at most once a second an account.

use std::time::{Duration, Instant};

use metering::live::Meter;
use metering::{AccountId, Status};
use moka::future::Cache;

use crate::meter_call::{Unanswered, within};

/// A status that stops draws must be known within a second.
const FRESH: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
struct Entry {
    status: Status,
    read_at: Instant,
}

pub struct AccountStatuses {
    entries: Cache<AccountId, Entry>,
    meter: Meter,
    wait_max: Duration,
}

impl AccountStatuses {
    /// While Redis can't be asked, what was last known holds for `stale_max`, as it does for keys.
    pub fn new(meter: Meter, wait_max: Duration, entries_max: u64, stale_max: Duration) -> Self {
        let entries = Cache::builder().max_capacity(entries_max).time_to_live(stale_max).build();
        Self { entries, meter, wait_max }
    }

    pub async fn find(&self, account: AccountId) -> Result<Status, Unanswered> {
        let known = self.entries.get(&account).await;
        if let Some(entry) = known
            && entry.read_at.elapsed() < FRESH
        {
            return Ok(entry.status);
        }
        let read_at = Instant::now();
        match within(self.wait_max, self.meter.credits(account)).await {
            Ok(credits) => {
                self.entries.insert(account, Entry { status: credits.status, read_at }).await;
                Ok(credits.status)
            }
            Err(unanswered) => known.map(|entry| entry.status).ok_or(unanswered),
        }
    }
}
