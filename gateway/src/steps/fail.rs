//! Answers for a request that broke after it was admitted.

use pingora::proxy::{FailToProxy, Session};
use pingora::{Error, ErrorSource, ErrorType, RetryType};

use crate::admission::Admission;
use crate::gateway::Gateway;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::steps::give_back::is_timeout;
use crate::steps::reject::reject;
use crate::steps::settle_after_end;

/// Says the status answered; 0 when there is nobody to answer, or the upstream's answer has begun.
pub async fn fail(gateway: &Gateway, session: &mut Session, error: &Error, request: &mut Request) -> FailToProxy {
    FailToProxy { error_code: answer(gateway, session, error, request).await, can_reuse_downstream: false }
}

async fn answer(gateway: &Gateway, session: &mut Session, error: &Error, request: &mut Request) -> u16 {
    let answered = session.response_written().is_some_and(|header| !header.status.is_informational());
    let began = answered || request.is_upgraded();
    if *error.esource() == ErrorSource::Upstream && request.upstream.reached && request.upstream.status.is_none() {
        request.admission.as_ref().and_then(Admission::place).inspect(|place| place.broke());
    }
    if !began && request.rejection.is_none() {
        request.rejection = rejection(error);
    }
    settle_after_end(&gateway.balance, request, Some(error)).await;
    let Some(rejection) = request.rejection.clone().filter(|_| !began) else { return 0 };
    // pingora closes the connection of a request that failed: an answer that said otherwise would break the caller's next one.
    session.set_keepalive(None);
    // A caller who is gone can't be told, and the log line says so.
    reject(session, request, &rejection, &gateway.billing_url).await.ok();
    rejection.code().status()
}

fn rejection(error: &Error) -> Option<Rejection> {
    match error.esource() {
        ErrorSource::Upstream if is_timeout(error) => Some(Rejection::UpstreamTimeout),
        ErrorSource::Upstream => Some(Rejection::UpstreamFailed),
        ErrorSource::Downstream => caller_fault(error),
        ErrorSource::Internal | ErrorSource::Unset => Some(Rejection::Internal),
    }
}

/// `None` for a caller who has left.
pub fn caller_fault(error: &Error) -> Option<Rejection> {
    match error.etype() {
        // The names pingora gives to a chunked body that can't be parsed.
        ErrorType::Custom("InvalidChunk" | "InvalidTrailerEnd") => {
            Some(Rejection::BadRequest("The request's body breaks the framing of HTTP."))
        }
        ErrorType::InvalidHTTPHeader => Some(Rejection::BadRequest("The request's header is malformed.")),
        ErrorType::ReadTimedout => Some(Rejection::BodyTooSlow),
        _ => None,
    }
}

/// Whether the same request may be sent upstream once more: never when it is metered and a byte of it may have arrived.
pub fn may_retry(session: &Session, request: &Request, error: &Error, reused: bool) -> bool {
    let harmless = !request.is_paid() && session.req_header().method.is_idempotent() && request.upstream.sends < 2;
    let whole = !session.as_ref().retry_buffer_truncated();
    let wanted = match error.retry {
        RetryType::Decided(retry) => retry,
        RetryType::ReusedOnly => reused,
    };
    harmless && whole && wanted
}
