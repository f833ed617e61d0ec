//! Why a delivery was not taken: a stable code as `application/problem+json` (RFC 9457). None of them quotes what came.

use std::error::Error;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use payments::SignatureError;
use serde_json::json;

/// How soon whoever was turned away may come again. Stripe goes by a plan of its own.
const RETRY_AFTER_S: u64 = 5;

/// Every answer that is not 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    NothingHere,
    OnlyPost,
    TooLarge {
        bytes_max: usize,
    },
    TooSlow,
    /// The body broke off.
    Incomplete,
    /// Without `Stripe-Signature`, or with two.
    Unsigned,
    /// Not by Stripe, or not now.
    Signature(SignatureError),
    /// Signed, and no event.
    Malformed,
    /// A mail provider that proves itself by nothing that we know.
    Unproven,
    /// Proven, and nothing that can be read; the text says what is wrong.
    Unreadable(&'static str),
    /// As many deliveries are on their way to the book as may be.
    Busy,
    BookAway,
    /// A fault of ours.
    Broken,
}

impl From<SignatureError> for Refusal {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl Refusal {
    /// A body that could not be read: too large, or cut off.
    pub fn of_body(error: &axum::Error, bytes_max: usize) -> Self {
        let limit = "length limit exceeded";
        let mut cause: Option<&dyn Error> = Some(error);
        while let Some(error) = cause {
            if error.to_string() == limit {
                return Self::TooLarge { bytes_max };
            }
            cause = error.source();
        }
        Self::Incomplete
    }

    /// The stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingHere => "no_route",
            Self::OnlyPost => "method_not_allowed",
            Self::TooLarge { .. } => "body_too_large",
            Self::TooSlow => "body_too_slow",
            Self::Incomplete => "body_incomplete",
            Self::Unsigned | Self::Signature(_) => "signature_invalid",
            Self::Malformed | Self::Unreadable(_) => "malformed",
            Self::Unproven => "unauthorized",
            Self::Busy => "busy",
            Self::BookAway => "book_unavailable",
            Self::Broken => "internal",
        }
    }

    /// What exactly it was, for metrics and whoever looks for a wrong secret.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unsigned => "signature_missing",
            Self::Unreadable(_) => "mail_malformed",
            Self::Signature(error) => error.code(),
            other => other.code(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NothingHere => StatusCode::NOT_FOUND,
            Self::OnlyPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Incomplete | Self::Unsigned | Self::Signature(_) | Self::Malformed | Self::Unreadable(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unproven => StatusCode::UNAUTHORIZED,
            Self::Busy | Self::BookAway => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NothingHere => "There is nothing at this path.".to_owned(),
            Self::OnlyPost => "Deliveries are posted here.".to_owned(),
            Self::TooLarge { bytes_max } => format!("A delivery has {bytes_max} bytes at most."),
            Self::TooSlow => "The body took too long to arrive.".to_owned(),
            Self::Incomplete => "The body did not arrive to its end.".to_owned(),
            Self::Unsigned => "A delivery carries one Stripe-Signature.".to_owned(),
            Self::Signature(error) => format!("Not taken: {error}."),
            Self::Malformed => "The body is signed, but it is no event that can be read.".to_owned(),
            Self::Unproven => "A delivery carries a Mail-Signature, or a password by HTTP Basic.".to_owned(),
            Self::Unreadable(why) => format!("Nothing that can be read: {why}."),
            Self::Busy => "Too many deliveries are on their way. Come again.".to_owned(),
            Self::BookAway => "The book can't be reached. Come again.".to_owned(),
            Self::Broken => "Something broke here. Come again.".to_owned(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = json!({
            "type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(),
            "code": self.code(), "reason": self.reason(), "detail": self.detail(),
        });
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        if matches!(self, Self::TooLarge { .. } | Self::TooSlow | Self::Incomplete) {
            // What is left of the body is not read.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self == Self::Unproven {
            // Amazon SNS sends its password only where it is asked for one.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"mail evidence\""));
        }
        if self == Self::OnlyPost {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Refusal; 13] = [
        Refusal::NothingHere,
        Refusal::OnlyPost,
        Refusal::TooLarge { bytes_max: 7 },
        Refusal::TooSlow,
        Refusal::Incomplete,
        Refusal::Unsigned,
        Refusal::Signature(SignatureError::Wrong),
        Refusal::Malformed,
        Refusal::Unproven,
        Refusal::Unreadable("it is empty"),
        Refusal::Busy,
        Refusal::BookAway,
        Refusal::Broken,
    ];

    #[test]
    fn what_stripe_can_not_mend_is_400_and_what_passes_says_when_to_come_again() {
        for refusal in ALL {
            let (status, headers) = (refusal.status().as_u16(), refusal.clone().into_response().headers().clone());
            let passes = matches!(refusal, Refusal::Busy | Refusal::BookAway);
            assert_eq!((status == 503, headers.contains_key(header::RETRY_AFTER)), (passes, passes), "{refusal:?}");
            assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
            assert!(status >= 400, "only what is in the book is 200: {refusal:?}");
        }
        let signature = [Refusal::Unsigned, Refusal::Signature(SignatureError::TooOld)];
        let told = signature.map(|refusal| (refusal.status().as_u16(), refusal.code(), refusal.reason()));
        assert_eq!(
            told,
            [(400, "signature_invalid", "signature_missing"), (400, "signature_invalid", "signature_too_old")]
        );
    }

    #[test]
    fn each_has_a_reason_of_its_own_for_the_metric() {
        let reasons: std::collections::BTreeSet<_> = ALL.iter().map(Refusal::reason).collect();
        assert_eq!(reasons.len(), ALL.len());
    }
}
