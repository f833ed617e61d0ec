//! Why somebody was not served: a stable code, a sentence for people and the numbers. To programs it is `application/problem+json` (RFC 9457);
//! `pages` shows it as a page.

use std::error::Error;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frame::chain;
use ledger::{LedgerError, LookError};
use metering::live::MeterError;
use payments::{CheckoutError, PortalError};
use serde_json::{Map, Value, json};
use sessions::SessionFault;
use tracing::{error, warn};

/// How soon whoever could not be served now may come again, in seconds.
const RETRY_AFTER_S: u64 = 5;

/// Everything that is not an answer.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people, which quotes nothing secret.
    pub detail: String,
    /// The numbers that caused it.
    pub numbers: Map<String, Value>,
}

impl Refusal {
    /// Any.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), numbers: Map::new() }
    }

    /// With a number that caused it.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.numbers.insert(name.to_owned(), value.into());
        self
    }

    /// What was asked can't be read, or says what can't be.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    /// A parameter of the path or the query is none.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Also what belongs to another account: whoever may not see it learns nothing by asking.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// The route is there, and takes other methods.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This can't be done here by that method.")
    }

    /// No session, or one that opens nothing.
    pub fn session(fault: SessionFault) -> Self {
        let (code, detail) = match fault {
            SessionFault::Missing => ("session_missing", "Sign in to see this."),
            SessionFault::Expired | SessionFault::Ended => {
                ("session_expired", "Your session is over. Sign in again; nothing was changed.")
            }
            _ => ("session_invalid", "This session is not valid here. Sign in again; nothing was changed."),
        };
        Self::new(StatusCode::UNAUTHORIZED, code, detail).with("reason", fault.as_str())
    }

    /// The keys of sessions have not been read yet.
    pub fn sessions_not_yet() -> Self {
        let detail = "Sessions can't be verified yet. Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "sessions_unavailable", detail)
    }

    /// Signed in, and not allowed.
    pub fn role_missing(who: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "role_missing", format!("Only {who} may do this."))
    }

    /// A write from a page of another site.
    pub fn cross_site() -> Self {
        Self::new(StatusCode::FORBIDDEN, "cross_site", "This was sent by a page of another site. Nothing was changed.")
    }

    fn is_passing(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }
}

/// A fault of ours or of a store: the log gets the chain, once, and the outside one sentence.
fn broken(error: &(dyn Error + 'static)) -> Refusal {
    error!(error = chain(error), "a request failed: {}", chain(error));
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke here. It has been written down.")
}

fn away(code: &'static str, error: &(dyn Error + 'static)) -> Refusal {
    warn!(error = chain(error), "a request could not be answered: {}", chain(error));
    let detail = "This can't be done right now. Nothing was changed; try again in a moment.";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        let status = match &error {
            LedgerError::Unavailable(_)
            | LedgerError::SchemaMissing
            | LedgerError::SchemaOld { .. }
            | LedgerError::SchemaForeign { .. } => return away("book_unavailable", &error),
            LedgerError::Unknown(_) => {
                let mut refusal = away("outcome_unknown", &error);
                "Nobody knows whether this happened. Look before you try again.".clone_into(&mut refusal.detail);
                return refusal;
            }
            LedgerError::NotFound { .. } => StatusCode::NOT_FOUND,
            LedgerError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            LedgerError::BudgetNotEligible { .. } => {
                let detail = crate::show::BUDGET_NOTE;
                return Self::new(StatusCode::CONFLICT, error.code(), detail);
            }
            LedgerError::Fenced { .. }
            | LedgerError::Gap { .. }
            | LedgerError::Corrupt(_)
            | LedgerError::Database(_) => return broken(&error),
            _ => StatusCode::CONFLICT,
        };
        Self::new(status, error.code(), sentence(&error.to_string()))
    }
}

impl From<LookError> for Refusal {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Book(error) => error.into(),
            other => away("meter_unavailable", &other),
        }
    }
}

impl From<MeterError> for Refusal {
    fn from(error: MeterError) -> Self {
        away("meter_unavailable", &error)
    }
}

impl From<CheckoutError> for Refusal {
    fn from(error: CheckoutError) -> Self {
        payment(error.code(), error.is_passing(), &error)
    }
}

impl From<PortalError> for Refusal {
    fn from(error: PortalError) -> Self {
        payment(error.code(), error.is_passing(), &error)
    }
}

impl From<askama::Error> for Refusal {
    fn from(error: askama::Error) -> Self {
        broken(&error)
    }
}

/// Errors of payments are sentences for people already.
fn payment(code: &'static str, is_passing: bool, error: &(dyn Error + 'static)) -> Refusal {
    let status = match code {
        _ if is_passing => StatusCode::SERVICE_UNAVAILABLE,
        "plan_unknown" | "account_not_found" => StatusCode::NOT_FOUND,
        "idempotency_key_unsound" => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    };
    if error.source().is_some() {
        warn!(error = chain(error), "Stripe was not reached as it should: {}", chain(error));
    }
    Refusal::new(status, code, error.to_string())
}

/// Errors of the book begin small and end without a dot, as parts of a line.
fn sentence(text: &str) -> String {
    format!("{}.", crate::show::first_large(text))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut problem = json!({
            "type": "about:blank", "title": self.status.canonical_reason(), "status": self.status.as_u16(),
            "code": self.code, "detail": self.detail,
        });
        if let Some(problem) = problem.as_object_mut() {
            problem.extend(self.numbers.clone());
        }
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.is_passing() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        // For whoever makes a page of it.
        response.extensions_mut().insert(self);
        response
    }
}
