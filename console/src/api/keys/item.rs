//! A key as programs see it.

use metering::Rate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::billing::balance::Source;
use crate::keys::seen::{CapUse, Seen, SeenKey, State};
use crate::show;

/// An API key; the key itself is nowhere.
#[derive(Serialize, ToSchema)]
pub struct Key {
    /// Its id.
    id: String,
    /// For people.
    name: String,
    /// Its first letters, to tell keys apart.
    prefix: String,
    /// `live` or `test`.
    mode: String,
    /// `active`; `rotated` (replaced, and still good until `expires_at`); `expired`; `revoked`.
    state: &'static str,
    /// Why calls with it are refused whatever its own state: the account is `payment_failed`, `suspended` or `pending`. `null` = they are not.
    refused_because: Option<&'static str>,
    /// When it was made.
    created_at: String,
    /// First instant at which it is refused; `null` = it does not expire.
    expires_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
    /// When it last drew credits, to the minute.
    last_used_at: Option<String>,
    /// The key that replaces it.
    rotated_to: Option<String>,
    /// Scopes that it has; none = all.
    scopes: Vec<String>,
    /// Addresses from which it may be used; none = from anywhere.
    addresses: Vec<String>,
    /// How often it may be used; set by operators.
    rates: Vec<KeyRate>,
    /// The most it may draw in a day (UTC); `null` = no cap.
    cap_day: Option<KeyCap>,
    /// The most it may draw in a budget period of the account; `null` = no cap.
    cap_month: Option<KeyCap>,
    /// What it drew in this budget period, less what was given back.
    drawn_this_period: u64,
}

/// A cap. Keys that were rotated into each other count as one.
#[derive(Serialize, ToSchema)]
pub struct KeyCap {
    /// The most, in credits.
    limit: u64,
    /// What is drawn of it.
    used: u64,
    /// When it begins anew.
    resets_at: String,
    /// Whose figure `used` is.
    source: Source,
}

/// A rate.
#[derive(Serialize, ToSchema)]
pub struct KeyRate {
    /// Its name.
    name: String,
    /// Calls in a period.
    count: u32,
    /// The period.
    per_ms: u64,
    /// Calls at once.
    burst: u32,
}

/// All of them.
pub fn keys_of(seen: &Seen) -> Vec<Key> {
    seen.keys.iter().map(|key| of(key, seen)).collect()
}

fn of(key: &SeenKey, seen: &Seen) -> Key {
    let SeenKey { view, state, .. } = key;
    Key {
        id: view.key.to_string(),
        name: view.name.clone(),
        prefix: view.prefix.clone(),
        mode: view.mode.clone(),
        state: state.word(),
        refused_because: seen.refused_because().map(metering::Status::as_str),
        created_at: show::machine(view.created_at),
        expires_at: view.expires_at.map(show::machine),
        revoked_at: match state {
            State::Revoked(at) => Some(show::machine(*at)),
            _ => None,
        },
        last_used_at: view.last_used_at.map(show::machine),
        rotated_to: view.rotated_to.map(|by| by.to_string()),
        scopes: view.policy.scopes().iter().map(ToString::to_string).collect(),
        addresses: view.policy.addresses().iter().map(ToString::to_string).collect(),
        rates: view.policy.rates().iter().map(KeyRate::from).collect(),
        cap_day: key.day.map(|cap| KeyCap::of(cap, seen.source)),
        cap_month: key.month.map(|cap| KeyCap::of(cap, seen.source)),
        drawn_this_period: key.drawn.get(),
    }
}

impl KeyCap {
    fn of(cap: CapUse, source: Source) -> Self {
        Self { limit: cap.limit.get(), used: cap.used.get(), resets_at: show::machine(cap.resets_at), source }
    }
}

impl From<&Rate> for KeyRate {
    fn from(rate: &Rate) -> Self {
        Self { name: rate.name().to_owned(), count: rate.count(), per_ms: rate.per_ms(), burst: rate.burst() }
    }
}
