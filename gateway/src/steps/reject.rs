//! Answers a caller who was not served.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, EXPECT, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use pingora::{ErrorType, OrErr, Result};

use crate::rejection::{Code, Rejection};
use crate::request::Request;
use crate::steps::answer_headers::{RECEIPT, on_budgeted, on_remaining};
use crate::steps::grpc::{self, is_grpc};
use crate::steps::own_answer::write_own_answer;

/// A refused request's body is read to its end up to this size, and for this long.
const DRAIN_BYTES_MAX: u64 = 64 * 1024;
const DRAIN_MAX: Duration = Duration::from_secs(1);

/// Writes the whole answer. A connection whose request was not understood, or not read to its end, ends with it.
pub async fn reject(
    session: &mut Session,
    request: &mut Request,
    rejection: &Rejection,
    billing_url: &str,
) -> Result<()> {
    let code = rejection.code();
    request.answered = Some(code);
    request.refused = Some(Box::new(rejection.clone()));
    let mut lines = HeaderMap::new();
    if matches!(code, Code::InvalidApiKey | Code::InvalidSession | Code::SessionExpired) {
        lines.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = rejection.retry_after_seconds() {
        lines.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    match rejection {
        Rejection::BudgetExhausted { budget, .. } => {
            on_budgeted(&mut lines, budget).or_err(ErrorType::InvalidHTTPHeader, "a budget makes no header")?;
        }
        Rejection::CreditsExhausted { remaining, .. } => on_remaining(&mut lines, *remaining),
        Rejection::Repeated { first, .. } => {
            let first = HeaderValue::try_from(first.to_string());
            lines.insert(RECEIPT, first.or_err(ErrorType::InvalidHTTPHeader, "a receipt makes no header")?);
        }
        _ => {}
    }
    lines.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if rejection.ends_connection() {
        session.set_keepalive(None);
    } else if is_soon_read(session.req_header()) {
        // Reading the rest costs less than the caller's next connection.
        session.set_close_on_response_before_downstream_finish(false);
        session.set_total_drain_timeout(Some(DRAIN_MAX));
    }
    // Over HTTP/1 nobody speaks gRPC, whatever the header says, and an answer without a body would need its length.
    if request.way.http2 && is_grpc(&session.req_header().headers) {
        grpc::refusal(rejection, &mut lines).or_err(ErrorType::InvalidHTTPHeader, "a refusal makes no header")?;
        return write_own_answer(session, request, 200, lines, None).await;
    }
    let body = rejection.problem(request.id.to_str().unwrap_or_default(), billing_url);
    write_own_answer(session, request, code.status(), lines, Some(("application/problem+json", body))).await
}

/// Whether what may be left of the request is small, and on its way: a caller who expects 100 sends nothing after a refusal.
fn is_soon_read(header: &RequestHeader) -> bool {
    let declared = header.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    !header.headers.contains_key(EXPECT)
        && !header.headers.contains_key(TRANSFER_ENCODING)
        && declared.unwrap_or(0) <= DRAIN_BYTES_MAX
}
