//! What an API key is held to beside its account: scopes, addresses, rates, caps.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Credits, KeyCaps};

/// Scopes of one key, and address ranges of one key.
const LIST_MAX: usize = 64;
/// Rates of one key: each is looked at by every debit of the key.
const RATES_MAX: usize = 4;
/// A rate's requests, and its burst.
const COUNT_MAX: u32 = 1_000_000;
/// A rate's period: a second to 31 days.
const PERIOD_MS: std::ops::RangeInclusive<u64> = 1_000..=31 * 86_400_000;

/// A policy, or a part of one, that can't be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PolicyError(String);

/// What a key may do. The empty policy holds a key to nothing but its account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPolicy", into = "RawPolicy")]
pub struct KeyPolicy {
    scopes: Vec<Scope>,
    addresses: Vec<AddressRange>,
    rates: Vec<Rate>,
    caps: KeyCaps,
}

/// As it is written.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawPolicy {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<Scope>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<AddressRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rates: Vec<Rate>,
    #[serde(skip_serializing_if = "KeyCaps::is_empty")]
    caps: KeyCaps,
}

impl KeyPolicy {
    /// Puts a policy together; refuses lists that are too long and rates of the same name.
    pub fn new(scopes: Vec<Scope>, addresses: Vec<AddressRange>, rates: Vec<Rate>) -> Result<Self, PolicyError> {
        let fits = scopes.len() <= LIST_MAX && addresses.len() <= LIST_MAX && rates.len() <= RATES_MAX;
        if !fits {
            return Err(PolicyError(format!(
                "a key has at most {LIST_MAX} scopes, {LIST_MAX} address ranges and {RATES_MAX} rates"
            )));
        }
        let twice =
            rates.iter().enumerate().find(|(place, rate)| rates.iter().take(*place).any(|it| it.name == rate.name));
        if let Some((_, rate)) = twice {
            return Err(PolicyError(format!("the rate {} is there twice", rate.name)));
        }
        Ok(Self { scopes, addresses, rates, caps: KeyCaps::default() })
    }

    /// The same policy with these caps; refuses a cap of nothing, which would be a key that can't draw.
    pub fn with_caps(self, caps: KeyCaps) -> Result<Self, PolicyError> {
        if [caps.day, caps.month].into_iter().flatten().any(Credits::is_zero) {
            return Err(PolicyError("a cap is at least 1 credit; revoke a key that shall draw nothing".to_owned()));
        }
        Ok(Self { caps, ..self })
    }

    /// How much it may draw.
    #[must_use]
    pub const fn caps(&self) -> KeyCaps {
        self.caps
    }

    /// Whether the key has a scope. A key without any scope has them all.
    #[must_use]
    pub fn has_scope(&self, scope: &Scope) -> bool {
        self.scopes.is_empty() || self.scopes.contains(scope)
    }

    /// Whether the key may be used from an address. A key without ranges may be used from anywhere.
    #[must_use]
    pub fn takes_address(&self, address: IpAddr) -> bool {
        self.addresses.is_empty() || self.addresses.iter().any(|range| range.contains(address))
    }

    /// The scopes.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The address ranges.
    #[must_use]
    pub fn addresses(&self) -> &[AddressRange] {
        &self.addresses
    }

    /// How often it may be used.
    #[must_use]
    pub fn rates(&self) -> &[Rate] {
        &self.rates
    }
}

impl TryFrom<RawPolicy> for KeyPolicy {
    type Error = PolicyError;

    fn try_from(raw: RawPolicy) -> Result<Self, PolicyError> {
        Self::new(raw.scopes, raw.addresses, raw.rates)?.with_caps(raw.caps)
    }
}

impl From<KeyPolicy> for RawPolicy {
    fn from(policy: KeyPolicy) -> Self {
        Self { scopes: policy.scopes, addresses: policy.addresses, rates: policy.rates, caps: policy.caps }
    }
}

fn check_name(text: &str, what: &str) -> Result<(), PolicyError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.:-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(PolicyError(format!("{what} is 1 to 64 of a-z, 0-9, '_', '.', ':', '-'")))
}

/// The right to use routes that ask for it: `[a-z0-9_.:-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

impl FromStr for Scope {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        check_name(text, "a scope")?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Scope {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, PolicyError> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Addresses that share their first bits: `203.0.113.0/24`, `2001:db8::/32`, or one address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange {
    first: IpAddr,
    bits: u8,
}

impl AddressRange {
    /// An IPv4 address in IPv6 dress counts as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let drop = 32_u32.saturating_sub(u32::from(self.bits));
                first.to_bits().checked_shr(drop) == address.to_bits().checked_shr(drop)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let drop = 128_u32.saturating_sub(u32::from(self.bits));
                first.to_bits().checked_shr(drop) == address.to_bits().checked_shr(drop)
            }
            _ => false,
        }
    }
}

impl FromStr for AddressRange {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let wrong =
            || PolicyError("an address range is written like 203.0.113.0/24, 2001:db8::/32 or 203.0.113.7".to_owned());
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let first: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().map_err(|_| wrong())?,
            Some(_) => return Err(wrong()),
        };
        if bits > most || first != first.to_canonical() {
            return Err(wrong());
        }
        Ok(Self { first, bits })
    }
}

impl TryFrom<String> for AddressRange {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, PolicyError> {
        text.parse()
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        range.to_string()
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.first, self.bits)
    }
}

/// How often a key may be used: `count` requests in `per_ms`, spread evenly, with `burst` of them at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRate", into = "RawRate")]
pub struct Rate {
    name: String,
    count: u32,
    per_ms: u64,
    burst: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRate {
    name: String,
    count: u32,
    per_ms: u64,
    burst: Option<u32>,
}

impl Rate {
    /// Without a burst of its own, as many at once as in a whole period.
    pub fn new(name: &str, count: u32, per_ms: u64, burst: Option<u32>) -> Result<Self, PolicyError> {
        check_name(name, "a rate's name")?;
        if name.contains(':') {
            return Err(PolicyError("a rate's name has no ':'".to_owned())); // live state writes it between colons
        }
        let burst = burst.unwrap_or(count);
        if !(1..=COUNT_MAX).contains(&count) || !(1..=COUNT_MAX).contains(&burst) || !PERIOD_MS.contains(&per_ms) {
            return Err(PolicyError(format!(
                "a rate has 1 to {COUNT_MAX} requests and as many at once, in a second to 31 days"
            )));
        }
        Ok(Self { name: name.to_owned(), count, per_ms, burst })
    }

    /// Its name, for people and the headers of answers.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Requests in a period.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The period.
    #[must_use]
    pub const fn per_ms(&self) -> u64 {
        self.per_ms
    }

    /// Requests at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Microseconds between two requests when they are spread evenly; at least 1, by the bounds of a rate.
    #[must_use]
    pub fn emission_us(&self) -> u64 {
        self.per_ms.saturating_mul(1_000).checked_div(u64::from(self.count)).unwrap_or(1).max(1)
    }
}

impl TryFrom<RawRate> for Rate {
    type Error = PolicyError;

    fn try_from(raw: RawRate) -> Result<Self, PolicyError> {
        Self::new(&raw.name, raw.count, raw.per_ms, raw.burst)
    }
}

impl From<Rate> for RawRate {
    fn from(rate: Rate) -> Self {
        Self { name: rate.name, count: rate.count, per_ms: rate.per_ms, burst: Some(rate.burst) }
    }
}

#[cfg(test)]
mod tests;
