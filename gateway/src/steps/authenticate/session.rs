//! A session: its token holds, and nobody has ended it since.

use metering::TimeMs;
use sessions::{Refused, SessionFault, Sessions};

use crate::account_standings::AccountStandings;
use crate::principal::Principal;
use crate::rejection::Rejection;
use crate::route_table::Route;

pub async fn check(
    route: &Route,
    token: &str,
    sessions: &Sessions,
    standings: &AccountStandings,
    now: TimeMs,
) -> Result<Principal, Rejection> {
    let session = sessions.verify(token, now).await.map_err(|refused| match refused {
        Refused::Fault(fault) => Rejection::InvalidSession(fault),
        Refused::NotYet => Rejection::SessionsUnavailable,
    })?;
    // As for keys: a free request may go on with what was last known, a priced one could not draw anyway.
    let standing = standings.find(session.account, route.may_be_free()).await;
    let standing = standing.map_err(|cause| Rejection::MeterUnavailable(cause.why()))?;
    if session.version < standing.sessions.least(&session.subject_digest) {
        return Err(Rejection::InvalidSession(SessionFault::Ended));
    }
    Ok(Principal::Session(session, standing.status))
}
