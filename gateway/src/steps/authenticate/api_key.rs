//! An API key: known, active, not expired.

use std::sync::Arc;

use metering::{KeyState, KeyText, TimeMs};

use crate::key_cache::{Caller, KeyCache, LookupFailed};
use crate::rejection::{KeyFault, Rejection};
use crate::route_table::Route;

pub async fn check(route: &Route, text: &str, keys: &KeyCache, now: TimeMs) -> Result<Arc<Caller>, Rejection> {
    // The key's own checksum sorts out typing errors before anything is asked.
    let malformed = Rejection::InvalidApiKey(KeyFault::Malformed);
    let Ok(key) = KeyText::new(text) else { return Err(malformed) };
    let caller = match keys.find(key).await {
        Ok(found) => found.ok_or(Rejection::InvalidApiKey(KeyFault::Unknown))?,
        Err(LookupFailed::Mistyped) => return Err(malformed),
        // A free request may go on with what was last known; a priced one could not draw anyway.
        Err(LookupFailed::Unanswered { stale: Some(stale), .. }) if route.may_be_free() => stale,
        Err(LookupFailed::Unanswered { cause, .. }) => return Err(Rejection::MeterUnavailable(cause.why())),
    };
    if caller.state != KeyState::Active {
        return Err(Rejection::InvalidApiKey(KeyFault::Revoked));
    }
    if caller.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Rejection::InvalidApiKey(KeyFault::Expired));
    }
    Ok(caller)
}
