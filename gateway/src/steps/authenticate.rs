//! Who calls: one API key, known, active, not expired.

use std::sync::Arc;

use config::routes::{Auth, WhenBlocked};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use metering::{ApiKey, KeyState, TimeMs};
use pingora::http::RequestHeader;

use crate::key_cache::{Caller, KeyCache};
use crate::rejection::{KeyFault, Rejection};
use crate::route_table::Route;
use crate::steps::trusted_headers::API_KEY;

/// The finding that the caller may use the route, as far as its key says.
pub struct Authenticated(Option<Arc<Caller>>);

impl Authenticated {
    /// `None` on a route without auth.
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        self.0.as_ref()
    }
}

pub async fn authenticate(
    route: &Route,
    header: &RequestHeader,
    keys: &KeyCache,
    now: TimeMs,
) -> Result<Authenticated, Rejection> {
    let text = credential(header)?;
    if route.auth == Auth::None {
        return Ok(Authenticated(None));
    }
    let text = text.ok_or(Rejection::InvalidApiKey(KeyFault::Missing))?;
    // The key's own checksum sorts out typing errors before anything is asked.
    let key = ApiKey::parse(text).map_err(|_| Rejection::InvalidApiKey(KeyFault::Malformed))?;
    let caller = match keys.find(key.digest()).await {
        Ok(found) => found.ok_or(Rejection::InvalidApiKey(KeyFault::Unknown))?,
        // A free route may go on with what was last known; a priced one could not draw anyway.
        Err(failed) => match failed.stale {
            Some(stale) if !route.is_priced() => stale,
            _ => return Err(Rejection::MeterUnavailable(failed.cause.why())),
        },
    };
    check(route, &caller, now)?;
    Ok(Authenticated(Some(caller)))
}

fn check(route: &Route, caller: &Caller, now: TimeMs) -> Result<(), Rejection> {
    if caller.state != KeyState::Active {
        return Err(Rejection::InvalidApiKey(KeyFault::Revoked));
    }
    if caller.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Rejection::InvalidApiKey(KeyFault::Expired));
    }
    // A priced route leaves the status to the debit, which reads it where it is true.
    if !route.is_priced() && route.when_blocked == WhenBlocked::Deny && !caller.account_status.may_spend() {
        return Err(Rejection::Blocked(caller.account_status));
    }
    Ok(())
}

/// The one credential of the request, in `Authorization: Bearer` or `X-Api-Key`. Two could be read differently behind us.
fn credential(header: &RequestHeader) -> Result<Option<&str>, Rejection> {
    let mut all = header
        .headers
        .get_all(AUTHORIZATION)
        .iter()
        .map(bearer)
        .chain(header.headers.get_all(API_KEY).iter().map(|value| value.to_str().unwrap_or_default()));
    let first = all.next();
    if all.next().is_some() {
        return Err(Rejection::BadRequest("The request has two credentials. Send one."));
    }
    Ok(first)
}

/// What follows `Bearer `; empty for another scheme, which is no API key.
fn bearer(value: &HeaderValue) -> &str {
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim_ascii(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential_of(lines: &[(&'static str, &'static str)]) -> Result<Option<String>, Rejection> {
        let mut header = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in lines {
            header.append_header(*name, *value).unwrap();
        }
        credential(&header).map(|text| text.map(str::to_owned))
    }

    #[test]
    fn one_credential_in_one_of_two_places() {
        assert_eq!(credential_of(&[]), Ok(None));
        assert_eq!(credential_of(&[("Authorization", "Bearer k")]), Ok(Some("k".into())));
        assert_eq!(credential_of(&[("Authorization", "bearer  k ")]), Ok(Some("k".into())));
        assert_eq!(credential_of(&[("X-Api-Key", "k")]), Ok(Some("k".into())));
        assert_eq!(credential_of(&[("Authorization", "Basic k")]), Ok(Some(String::new())));
        for two in [
            [("Authorization", "Bearer k"), ("Authorization", "Bearer k")],
            [("Authorization", "Bearer k"), ("X-Api-Key", "k")],
            [("X-Api-Key", "k"), ("X-Api-Key", "k")],
        ] {
            assert!(matches!(credential_of(&two), Err(Rejection::BadRequest(_))), "{two:?}");
        }
    }
}
