//! Who asks: a session that is signed, has not ended, and what it may do. A handler that takes one of these can't be reached without it.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use ledger::By;
use metering::{AccountId, SessionSubject};
use sessions::{Refused, SessionFault};

use crate::cookies;
use crate::refusal::Refusal;
use crate::roles::Roles;
use crate::service::Service;

/// Anybody of an account.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account that is asked about, unless the route is an operator's.
    pub account: AccountId,
    /// The person; the actor of whatever changes.
    pub subject: SessionSubject,
    /// What the person may do.
    pub roles: Roles,
}

/// Anybody of an account whose answer lasts: the session is looked at again while it does.
pub struct LastingCaller {
    /// Who asked.
    pub caller: Caller,
    given: String,
}

impl LastingCaller {
    /// Whether the session is over: ended, expired, or no longer signed by a key that counts. Where nobody can say it goes on.
    pub async fn is_over(&self, service: &Service) -> bool {
        Caller::with(&self.given, service).await.is_err_and(|refusal| refusal.status == StatusCode::UNAUTHORIZED)
    }
}

/// Somebody who may change what the account has and does: an admin or its billing owner.
#[derive(Clone, Debug)]
pub struct AccountAdmin(pub Caller);

/// Somebody who runs the installation.
#[derive(Clone, Debug)]
pub struct Operator(pub Caller);

impl Caller {
    /// As the actor of a change that is being made now.
    pub fn by(&self, service: &Service, reason: impl Into<String>) -> By {
        By { actor: self.subject.as_str().to_owned(), reason: reason.into(), at: service.clock.now() }
    }

    /// Whoever has this session now.
    async fn with(given: &str, service: &Service) -> Result<Self, Refusal> {
        let session = match service.sessions.verify(given, service.clock.now()).await {
            Ok(session) => session,
            Err(Refused::Fault(fault)) => return Err(Refusal::session(fault)),
            Err(Refused::NotYet) => return Err(Refusal::sessions_not_yet()),
        };
        let ended = service.book.sessions(session.account).await?;
        if session.version < ended.least(Some(&session.subject)) {
            return Err(Refusal::session(SessionFault::Ended));
        }
        let roles = Roles::of(&session.roles);
        Ok(Self { account: session.account, subject: session.subject.clone(), roles })
    }
}

/// The session that a request brings.
fn given<'a>(parts: &'a Parts, service: &Service) -> Result<&'a str, Refusal> {
    let given = bearer(parts).or_else(|| cookies::only(&parts.headers, &service.cookie_names()));
    given.ok_or(Refusal::session(SessionFault::Missing))
}

fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, given) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(given)
}

impl<S> FromRequestParts<S> for Caller
where
    Arc<Service>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let service = Arc::<Service>::from_ref(state);
        Self::with(given(parts, &service)?, &service).await
    }
}

impl<S> FromRequestParts<S> for LastingCaller
where
    Arc<Service>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let service = Arc::<Service>::from_ref(state);
        let given = given(parts, &service)?.to_owned();
        Ok(Self { caller: Caller::with(&given, &service).await?, given })
    }
}

impl<S> FromRequestParts<S> for AccountAdmin
where
    Arc<Service>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.roles.manages {
            Ok(Self(caller))
        } else {
            Err(Refusal::role_missing("an admin or the billing owner"))
        }
    }
}

impl<S> FromRequestParts<S> for Operator
where
    Arc<Service>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.roles.operates { Ok(Self(caller)) } else { Err(Refusal::role_missing("an operator")) }
    }
}
