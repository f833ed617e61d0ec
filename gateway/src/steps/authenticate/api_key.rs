//! An API key: known, active, not expired.

use std::sync::Arc;

use metering::{ApiKey, KeyState, TimeMs};

use crate::key_cache::{Caller, KeyCache};
use crate::rejection::{KeyFault, Rejection};
use crate::route_table::Route;

pub async fn check(route: &Route, text: &str, keys: &KeyCache, now: TimeMs) -> Result<Arc<Caller>, Rejection> {
    // The key's own checksum sorts out typing errors before anything is asked.
    let key = ApiKey::parse(text).map_err(|_| Rejection::InvalidApiKey(KeyFault::Malformed))?;
    let caller = match keys.find(key.digest()).await {
        Ok(found) => found.ok_or(Rejection::InvalidApiKey(KeyFault::Unknown))?,
        // A free request may go on with what was last known; a priced one could not draw anyway.
        Err(failed) => match failed.stale {
            Some(stale) if route.may_be_free() => stale,
            _ => return Err(Rejection::MeterUnavailable(failed.cause.why())),
        },
    };
    if caller.state != KeyState::Active {
        return Err(Rejection::InvalidApiKey(KeyFault::Revoked));
    }
    if caller.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Rejection::InvalidApiKey(KeyFault::Expired));
    }
    Ok(caller)
}
