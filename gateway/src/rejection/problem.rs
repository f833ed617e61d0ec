//! A rejection as `application/problem+json` (RFC 9457).

use metering::live::Repeat;
use metering::{CapPeriod, Status};
use serde_json::{Map, Value, json};
use sessions::SessionFault;

use super::{KeyFault, Rejection, Unmetered};
use crate::rfc3339::rfc3339;

impl Rejection {
    /// The body of the answer. `billing_url` is where the caller can mend what has to do with money; may be empty.
    pub fn problem(&self, request_id: &str, billing_url: &str) -> Vec<u8> {
        let code = self.code();
        let status = code.status();
        let title = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let mut problem = Map::from_iter([
            ("type".to_owned(), json!("about:blank")),
            ("title".to_owned(), json!(title.unwrap_or_default())),
            ("status".to_owned(), json!(status)),
            ("code".to_owned(), json!(code.as_str())),
            ("detail".to_owned(), json!(self.detail())),
            ("request_id".to_owned(), json!(request_id)),
        ]);
        if let Value::Object(numbers) = self.numbers() {
            problem.extend(numbers);
        }
        if status == 402 && !billing_url.is_empty() {
            problem.insert("fix_url".to_owned(), json!(billing_url));
        }
        Value::Object(problem).to_string().into_bytes()
    }

    pub fn detail(&self) -> &'static str {
        match self {
            Self::NoRoute => "There is nothing at this method and path.",
            Self::BadRequest(what) | Self::UnsupportedMediaType(what) => what,
            Self::HeaderTooLarge => "The request's header is too large or has too many lines.",
            Self::BodyTooLarge { .. } => "The request's body is larger than this path takes.",
            Self::BodyTooSlow => "The request's body took too long to arrive.",
            Self::InvalidApiKey(fault) => key_fault(*fault),
            Self::ScopeMissing(_) => "The API key lacks the scope that this path needs.",
            Self::AddressNotAllowed => "The API key may not be used from this address.",
            Self::RateLimited { .. } => "The API key was used too often. Wait and try again.",
            Self::InvalidSession(fault) => session_fault(*fault),
            Self::CrossSiteRequest => "With a session cookie, only pages of this host may do this.",
            Self::SessionsUnavailable => "Sessions can't be verified just now. Try again soon.",
            Self::Blocked(Status::PaymentFailed) => "The last payment failed. Update the payment details to go on.",
            Self::Blocked(Status::Suspended) => "The account is suspended.",
            Self::Blocked(_) => "The account is not active yet.",
            Self::CreditsExhausted { .. } => "The account has too few credits left for this request.",
            Self::BudgetExhausted { .. } => "The account's monthly budget has too few credits left for this request.",
            Self::KeyCapExhausted { which: CapPeriod::Day, .. } => {
                "This API key's cap of credits a day has too few left for this request."
            }
            Self::KeyCapExhausted { which: CapPeriod::Month, .. } => {
                "This API key's cap of credits a month has too few left for this request."
            }
            Self::Repeated { how: Repeat::InUse, .. } => "A request with this Idempotency-Key is still in flight.",
            Self::Repeated { how: Repeat::Used, .. } => "A request with this Idempotency-Key was served already.",
            Self::Repeated { how: Repeat::Mismatch, .. } => "This Idempotency-Key was used for another request.",
            Self::MeterUnavailable(Unmetered::TooLate) => "Drawing credits took too long; none were drawn. Try again.",
            Self::MeterUnavailable(Unmetered::NotDurable) => {
                "Drawing credits could not be made durable in time; they are given back. Try again."
            }
            Self::MeterUnavailable(_) => {
                "Credits can't be drawn just now; none will be for this request. Try again soon."
            }
            Self::UpstreamFailed => "The service behind did not answer.",
            Self::UpstreamTimeout => "The service behind took too long to answer.",
            Self::UpstreamBusy => {
                "The service behind has as many requests as it takes; no credits were drawn. Try again soon."
            }
            Self::Internal => "The gateway failed.",
        }
    }

    /// What caused it, in numbers and names a program can read.
    pub fn numbers(&self) -> Value {
        match self {
            Self::InvalidApiKey(fault) => json!({ "reason": fault.as_str() }),
            Self::ScopeMissing(scope) => json!({ "scope": scope }),
            Self::RateLimited { rate, wait_ms } => json!({ "rate": rate, "retry_after_ms": wait_ms }),
            Self::InvalidSession(fault) => json!({ "reason": fault.as_str() }),
            Self::Blocked(status) => json!({ "account_status": status.as_str() }),
            Self::BodyTooLarge { bytes_max } => json!({ "body_bytes_max": bytes_max }),
            Self::MeterUnavailable(why) => json!({ "reason": why.as_str() }),
            Self::CreditsExhausted { remaining, price } => {
                json!({ "remaining": remaining.get(), "price": price.get() })
            }
            Self::KeyCapExhausted { which, cap, used, resets_at, price } => json!({
                "price": price.get(),
                "cap": which.as_str(),
                "cap_limit": cap.get(),
                "cap_used": used.get(),
                "cap_remaining": cap.saturating_sub(*used).get(),
                "resets_at": rfc3339(*resets_at),
            }),
            Self::Repeated { first, .. } => json!({ "receipt": first.to_string() }),
            Self::BudgetExhausted { budget, price } => json!({
                "price": price.get(),
                "budget_limit": budget.limit.get(),
                "budget_used": budget.used.get(),
                "budget_remaining": budget.left().get(),
                "resets_at": rfc3339(budget.resets_at),
            }),
            _ => Value::Null,
        }
    }
}

fn key_fault(fault: KeyFault) -> &'static str {
    match fault {
        KeyFault::Missing => "Send an API key: `Authorization: Bearer …` or `X-Api-Key: …`.",
        KeyFault::Malformed => "This is not an API key: it may be mistyped or cut off.",
        KeyFault::Unknown => "This API key does not exist.",
        KeyFault::Revoked => "This API key was revoked.",
        KeyFault::Expired => "This API key has expired.",
    }
}

fn session_fault(fault: SessionFault) -> &'static str {
    match fault {
        SessionFault::Missing => "Sign in first.",
        SessionFault::Malformed => "This is not a session that can be read. Sign in again.",
        SessionFault::Unverified | SessionFault::OtherIssuer | SessionFault::OtherAudience => {
            "This session is not one for this service. Sign in again."
        }
        SessionFault::NotYetValid => "This session does not hold yet.",
        SessionFault::Expired => "The session has expired. Sign in again.",
        SessionFault::Ended => "The session was ended. Sign in again.",
    }
}

#[cfg(test)]
mod tests {
    use metering::live::BudgetView;
    use metering::{Credits, TimeMs};

    use super::*;

    fn problem(rejection: &Rejection) -> Value {
        serde_json::from_slice(&rejection.problem("id-1", "https://billing.example")).unwrap()
    }

    #[test]
    fn a_problem_names_its_code_and_its_numbers() {
        let credits = |count| Credits::new(count).unwrap();
        let budget = BudgetView { limit: credits(40), used: credits(39), resets_at: TimeMs::new(1_767_225_600_000) };
        assert_eq!(
            problem(&Rejection::BudgetExhausted { budget, price: credits(2) }),
            json!({
                "type": "about:blank", "title": "Payment Required", "status": 402, "code": "budget_exhausted",
                "detail": "The account's monthly budget has too few credits left for this request.",
                "request_id": "id-1", "price": 2, "budget_limit": 40, "budget_used": 39, "budget_remaining": 1,
                "resets_at": "2026-01-01T00:00:00Z", "fix_url": "https://billing.example",
            })
        );
        let unknown = problem(&Rejection::InvalidApiKey(KeyFault::Unknown));
        assert_eq!((&unknown["code"], &unknown["reason"]), (&json!("invalid_api_key"), &json!("unknown")));
        assert_eq!(unknown.get("fix_url"), None);
    }
}
