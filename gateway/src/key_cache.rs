//! API keys remembered, so that a warm request asks Redis once: for its debit.
//!
//! Changes are pushed. While they can't be heard, every entry is stale: it is read anew, and serves as it is only where no
//! credits are drawn and Redis can't be asked. A look-up in flight is shared by all who wait for the same key.

mod changes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::HeaderValue;
use metering::live::{KeyRates, Meter, MeterError};
use metering::{AccountId, KeyDigest, KeyId, KeyImage, KeyPolicy, KeyState, Status, TimeMs};
use moka::future::Cache;
use moka::ops::compute::{CompResult, Op};

pub use changes::follow_changes;

use crate::meter_call::{Unanswered, within};
use crate::metrics::{KeyLookup, Metrics};

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

/// What was asked at `read_at`, while the subscription was in its `hearing`-th state, and answered at `answered_at`.
#[derive(Clone, Debug)]
struct Entry {
    caller: Option<Arc<Caller>>,
    read_at: Instant,
    answered_at: Instant,
    hearing: u64,
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
    entries: Cache<KeyDigest, Entry>,
    /// Odd while changes are heard; raised when the subscription is won and when it is lost.
    hearing: Arc<AtomicU64>,
    ages: Ages,
    meter: Meter,
    wait_max: Duration,
    metrics: Arc<Metrics>,
}

/// A look-up that could not be made.
#[derive(Debug)]
pub struct LookupFailed {
    /// What was known before, when something was.
    pub stale: Option<Arc<Caller>>,
    pub cause: Unanswered,
}

impl KeyCache {
    pub fn new(meter: Meter, ages: Ages, wait_max: Duration, metrics: Arc<Metrics>) -> Self {
        let entries = Cache::builder().max_capacity(ages.entries_max).time_to_live(ages.stale_max).build();
        Self { entries, hearing: Arc::new(AtomicU64::new(0)), ages, meter, wait_max, metrics }
    }

    /// `Ok(None)`: there is no such key.
    pub async fn find(&self, digest: KeyDigest) -> Result<Option<Arc<Caller>>, LookupFailed> {
        let known = self.entries.get(&digest).await;
        if let Some(entry) = &known
            && self.is_fresh(entry)
        {
            self.metrics.key_lookup(if entry.caller.is_some() { KeyLookup::Hit } else { KeyLookup::UnknownHit });
            return Ok(entry.caller.clone());
        }
        let found = within(self.wait_max, self.read(digest)).await;
        self.metrics.key_lookup(if found.is_ok() { KeyLookup::Read } else { KeyLookup::Failed });
        found.map_err(|cause| LookupFailed { stale: known.and_then(|entry| entry.caller), cause })
    }

    /// Forgets a key, after a look-up in flight if there is one: it may have read what has just changed.
    pub async fn forget(&self, digest: KeyDigest) {
        self.entries.entry(digest).and_compute_with(|_| std::future::ready(Op::Remove)).await;
    }

    /// Entries held, for the metrics.
    pub fn len(&self) -> u64 {
        self.entries.entry_count()
    }

    fn is_fresh(&self, entry: &Entry) -> bool {
        let hearing = self.hearing.load(Ordering::Acquire);
        let fresh = if entry.caller.is_some() { self.ages.fresh } else { self.ages.unknown_fresh };
        hearing % 2 == 1 && entry.hearing == hearing && entry.read_at.elapsed() < fresh
    }

    /// Reads from Redis; of several at once for one key the first reads and the others find its entry.
    async fn read(&self, digest: KeyDigest) -> Result<Option<Arc<Caller>>, MeterError> {
        let asked_at = Instant::now();
        let result = self
            .entries
            .entry(digest)
            .and_try_compute_with(|entry| self.read_unless_read(entry, digest, asked_at))
            .await?;
        Ok(match result {
            CompResult::Inserted(entry) | CompResult::ReplacedWith(entry) | CompResult::Unchanged(entry) => {
                entry.into_value().caller
            }
            CompResult::StillNone(_) | CompResult::Removed(_) => None,
        })
    }

    async fn read_unless_read(
        &self,
        entry: Option<moka::Entry<KeyDigest, Entry>>,
        digest: KeyDigest,
        asked_at: Instant,
    ) -> Result<Op<Entry>, MeterError> {
        // Somebody else's answer came while this look-up waited for its turn: good enough even when changes can't be heard. One that
        // came just before, but was not to be seen yet, holds like any other.
        if entry.is_some_and(|entry| entry.value().answered_at >= asked_at || self.is_fresh(entry.value())) {
            return Ok(Op::Nop);
        }
        let (read_at, hearing) = (Instant::now(), self.hearing.load(Ordering::Acquire));
        let image = self.meter.find_key(&digest).await?;
        // An id is hex digits, which every header value may hold; a failure here would be a key nobody can use.
        let caller = image.and_then(|image| Caller::new(&image).ok()).map(Arc::new);
        Ok(Op::Put(Entry { caller, read_at, answered_at: Instant::now(), hearing }))
    }
}
