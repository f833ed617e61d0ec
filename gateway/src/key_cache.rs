//! API keys remembered, so that a warm request asks Redis once: for its debit.
//!
//! While changes can't be heard, an entry serves as it is only where no credits are drawn and Redis can't be asked.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use metering::live::{KeyRates, Meter, MeterError};
use metering::{AccountId, KeyDigest, KeyId, KeyImage, KeyPolicy, KeyState, KeyText, Status, TimeMs};

use crate::meter_call::{Unanswered, within};
use crate::metrics::{KeyLookup, Metrics};
use crate::remembered::{Hearing, Known, Remembered};

/// Who a key speaks for, with what upstreams are told about it.
#[derive(Debug)]
pub struct Caller {
    pub account: AccountId,
    pub key: KeyId,
    pub state: KeyState,
    pub account_status: Status,
    pub expires_at: Option<TimeMs>,
    pub policy: KeyPolicy,
    pub rates: Option<KeyRates>,
    pub account_value: HeaderValue,
    pub key_value: HeaderValue,
}

impl Caller {
    fn new(image: &KeyImage) -> Result<Self, http::header::InvalidHeaderValue> {
        Ok(Self {
            account: image.account,
            key: image.key,
            state: image.state,
            account_status: image.account_status,
            expires_at: image.expires_at,
            policy: image.policy.clone(),
            rates: KeyRates::new(image.rates_of, image.policy.rates()),
            account_value: HeaderValue::from_str(&image.account.to_string())?,
            key_value: HeaderValue::from_str(&image.key.to_string())?,
        })
    }
}

/// How long entries hold.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    pub entries_max: u64,
    pub fresh: Duration,
    pub unknown_fresh: Duration,
    pub stale_max: Duration,
}

#[derive(Clone)]
pub struct KeyCache {
    entries: Remembered<KeyDigest, Option<Arc<Caller>>>,
    ages: Ages,
    meter: Meter,
    wait_max: Duration,
    metrics: Arc<Metrics>,
}

/// A look-up that was not made.
#[derive(Debug)]
pub enum LookupFailed {
    /// Nothing is known of the key, and its checksum says that nothing can be.
    Mistyped,
    Unanswered {
        /// What was known before, when something was.
        stale: Option<Arc<Caller>>,
        cause: Unanswered,
    },
}

impl KeyCache {
    pub fn new(meter: Meter, ages: Ages, hearing: Hearing, wait_max: Duration, metrics: Arc<Metrics>) -> Self {
        let entries = Remembered::new(hearing, ages.entries_max, ages.stale_max);
        Self { entries, ages, meter, wait_max, metrics }
    }

    /// `Ok(None)`: there is no such key. Of a key that is known the checksum says nothing more.
    pub async fn find(&self, key: KeyText<'_>) -> Result<Option<Arc<Caller>>, LookupFailed> {
        let digest = key.digest();
        let stale = match self.entries.known(digest).await {
            Known::Fresh(caller) => {
                self.metrics.key_lookup(if caller.is_some() { KeyLookup::Hit } else { KeyLookup::UnknownHit });
                return Ok(caller);
            }
            Known::Stale(caller) => caller,
            Known::Nothing => key.check().map(|()| None).map_err(|_| LookupFailed::Mistyped)?,
        };
        let found = Box::pin(within(self.wait_max, self.entries.read(digest, self.ask(digest)))).await;
        self.metrics.key_lookup(if found.is_ok() { KeyLookup::Read } else { KeyLookup::Failed });
        found.map(Option::flatten).map_err(|cause| LookupFailed::Unanswered { stale, cause })
    }

    pub async fn forget(&self, digest: KeyDigest) {
        self.entries.forget(digest).await;
    }

    /// Entries held, for the metrics.
    pub fn len(&self) -> u64 {
        self.entries.len()
    }

    async fn ask(&self, digest: KeyDigest) -> Result<(Option<Arc<Caller>>, Duration), MeterError> {
        let image = self.meter.find_key(&digest).await?;
        // An id is hex digits, which every header value may hold; a failure here would be a key nobody can use.
        let caller = image.and_then(|image| Caller::new(&image).ok()).map(Arc::new);
        let fresh = if caller.is_some() { self.ages.fresh } else { self.ages.unknown_fresh };
        Ok((caller, fresh))
    }
}
