//! `ETag` and `If-Match` (RFC 9110): who changes a budget or settings says which ones he saw.

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};

use crate::refusal::Refusal;

/// The line that says which state an answer shows; `state` is a number that changes with it.
pub fn line(state: u64) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&format!("\"{state}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    [(ETAG, value)]
}

/// The state that a caller has seen; `None` where he does not say, or takes any.
#[derive(Clone, Copy, Debug)]
pub struct IfMatch(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(line) = parts.headers.get(IF_MATCH) else { return Ok(Self(None)) };
        if line.as_bytes() == b"*" {
            return Ok(Self(None));
        }
        let state = line.to_str().ok().and_then(|line| line.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        // No tag of ours: it matches nothing that is there.
        state.map(|state| Self(Some(state))).ok_or_else(changed)
    }
}

/// Somebody else was faster, or the tag is none of ours.
pub fn changed() -> Refusal {
    let detail = "Somebody has changed this meanwhile. Look at it again before you change it.";
    Refusal::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", detail)
}
