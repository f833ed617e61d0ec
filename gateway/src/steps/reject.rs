//! Answers a caller who was not served.

use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use pingora::Result;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use crate::rejection::{Code, Rejection};
use crate::request::Request;
use crate::steps::answer_headers;

/// Writes the whole answer. A connection whose request was not understood, or not read to its end, ends with it.
pub async fn reject(
    session: &mut Session,
    request: &mut Request,
    rejection: &Rejection,
    billing_url: &str,
) -> Result<()> {
    let code = rejection.code();
    request.answered = Some(code);
    let body = rejection.problem(request.id.to_str().unwrap_or_default(), billing_url);
    let mut header = ResponseHeader::build(code.status(), Some(10))?;
    header.insert_header(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))?;
    header.insert_header(CONTENT_LENGTH, HeaderValue::from(body.len()))?;
    if code == Code::InvalidApiKey {
        header.insert_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))?;
    }
    if let Some(seconds) = rejection.retry_after_seconds() {
        header.insert_header(RETRY_AFTER, HeaderValue::from(seconds))?;
    }
    if let Rejection::BudgetExhausted { budget, .. } = rejection {
        answer_headers::on_budgeted(&mut header, budget)?;
    }
    answer_headers::on_any(&mut header, request)?;
    if rejection.ends_connection() {
        session.set_keepalive(None);
    }
    session.write_response_header(Box::new(header), false).await?;
    session.write_response_body(Some(body.into()), true).await
}
