//! What a key is held to beside its account: scope, addresses, rates.

use std::net::IpAddr;

use metering::Rate;
use metering::live::{RateOutcome, RateState};

use crate::key_cache::Caller;
use crate::meter_call::within;
use crate::rejection::Rejection;
use crate::route_table::Route;
use crate::steps::authenticate::Authenticated;
use crate::steps::draw::Balance;

/// Scope and address, which the key's entry says.
pub fn check_key_policy(route: &Route, caller: &Authenticated, address: Option<IpAddr>) -> Result<(), Rejection> {
    let Some(caller) = caller.caller() else { return Ok(()) };
    if let Some(scope) = route.scope.as_ref().filter(|scope| !caller.policy.has_scope(scope)) {
        return Err(Rejection::ScopeMissing(scope.clone()));
    }
    // Without an address nobody knows whether the key may be used.
    let allowed = address.map_or(caller.policy.addresses().is_empty(), |address| caller.policy.takes_address(address));
    if allowed { Ok(()) } else { Err(Rejection::AddressNotAllowed) }
}

/// The rates of a key whose request draws nothing; a debit counts them itself. While Redis can't be asked, such requests go on
/// uncounted.
pub async fn pass_rates(balance: &Balance, caller: &Authenticated) -> Result<Vec<RateState>, Rejection> {
    let Some((caller, rates)) = caller.caller().and_then(|caller| Some((caller, caller.rates.as_ref()?))) else {
        return Ok(Vec::new());
    };
    match Box::pin(within(balance.wait_max, balance.meter.pass_rates(caller.account, rates))).await {
        Ok(RateOutcome::Passed(states)) => Ok(states),
        Ok(RateOutcome::Limited { place, wait_ms }) => Err(rate_limited(Some(caller), place, wait_ms)),
        Err(_) => Ok(Vec::new()),
    }
}

pub fn rate_limited(caller: Option<&Caller>, place: usize, wait_ms: u64) -> Rejection {
    let rate = caller.and_then(|caller| caller.policy.rates().get(place)).map_or("", Rate::name).to_owned();
    Rejection::RateLimited { rate, wait_ms }
}

/// `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers writes them: quota and window in seconds; what is
/// left, and seconds until all of it is there again.
pub fn rate_lines(rates: &[Rate], states: &[RateState]) -> Option<(String, String)> {
    if states.is_empty() {
        return None;
    }
    let quota = |rate: &Rate| format!("\"{}\";q={};w={}", rate.name(), rate.count(), rate.per_ms().div_ceil(1_000));
    let left = |(rate, state): (&Rate, &RateState)| {
        format!("\"{}\";r={};t={}", rate.name(), state.left, state.reset_ms.div_ceil(1_000))
    };
    let policy: Vec<String> = rates.iter().map(quota).collect();
    let state: Vec<String> = rates.iter().zip(states).map(left).collect();
    Some((policy.join(", "), state.join(", ")))
}
