//! Who calls: one credential, of a kind the route takes, that holds.

mod api_key;
mod credential;
mod same_origin;
mod session;

use config::routes::Auth;
use metering::TimeMs;
use sessions::SessionFault;

pub use credential::{Credential, credential};
pub use same_origin::same_origin;

use crate::gateway::Gateway;
use crate::key_cache::Caller;
use crate::principal::Principal;
use crate::rejection::{KeyFault, Rejection};
use crate::request::Request;
use crate::route_table::Route;

/// The finding that the caller may use the route, as far as its credential says.
pub struct Authenticated(Option<Principal>);

impl Authenticated {
    /// `None` on a route without auth.
    pub fn principal(&self) -> Option<&Principal> {
        self.0.as_ref()
    }

    /// Whose key it is; `None` for a session too.
    pub fn caller(&self) -> Option<&Caller> {
        self.0.as_ref().and_then(Principal::caller)
    }
}

pub async fn authenticate(
    gateway: &Gateway,
    route: &Route,
    credential: Credential<'_>,
    request: &mut Request,
) -> Result<Authenticated, Rejection> {
    let now = gateway.store_now();
    let step = request.step("authenticate");
    let found = find_out(route, credential, gateway, now).await;
    step.end(found.as_ref().map_or_else(|rejection| rejection.code().as_str(), |_| "found"));
    let caller = found?;
    request.caller = caller.principal().cloned();
    Ok(caller)
}

async fn find_out(
    route: &Route,
    credential: Credential<'_>,
    gateway: &Gateway,
    now: TimeMs,
) -> Result<Authenticated, Rejection> {
    let principal = match (credential, route.auth, &gateway.sessions) {
        (_, Auth::None, _) => return Ok(Authenticated(None)),
        (Credential::Key(text), ..) => Principal::Key(api_key::check(route, text, &gateway.keys, now).await?),
        (Credential::Cookie(token) | Credential::Token(token), _, Some(sessions)) => {
            Box::pin(session::check(route, token, sessions, &gateway.standings, now)).await?
        }
        (_, Auth::Session, _) => return Err(Rejection::InvalidSession(SessionFault::Missing)),
        _ => return Err(Rejection::InvalidApiKey(KeyFault::Missing)),
    };
    Ok(Authenticated(Some(principal)))
}
