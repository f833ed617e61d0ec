//! Reads a body whole before admission, where the price stands in it, or a repeat of the request shall be known by it.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, EXPECT, TRANSFER_ENCODING};
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use pingora_timeout::timeout;

use crate::limits::Limits;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::route_table::{Route, RoutePrice};
use crate::steps::body::declared_length;
use crate::steps::fail::caller_fault;
use crate::steps::idempotency::idempotency_key;

/// What pingora keeps of a body for a second try, and sends out of there when all of the body has been read.
const KEPT_BYTES: usize = 64 * 1_024;

/// Reads the body into the request, for routes that need it.
pub async fn read_body(
    session: &mut Session,
    route: &Route,
    request: &mut Request,
    limits: &Limits,
) -> Result<(), Rejection> {
    let header = session.req_header();
    let Some((declared, bytes_max)) = lengths_to_read(route, header, limits)? else { return Ok(()) };
    let time_left = limits.body.saturating_sub(request.started.elapsed());
    let whole = Box::pin(timeout(time_left, read_when_asked(session, declared, bytes_max))).await;
    let whole = whole.map_err(|_| Rejection::BodyTooSlow)??;
    request.body_bytes = whole.len() as u64;
    request.whole_body = Some(whole);
    Ok(())
}

async fn read_when_asked(session: &mut Session, declared: Option<usize>, bytes_max: usize) -> Result<Bytes, Rejection> {
    if session.req_header().headers.contains_key(EXPECT) {
        session.downstream_session.write_continue_response().await.map_err(|error| fault(&error))?;
    }
    read(session, declared, bytes_max).await
}

/// The declared length of a body to be read, and the most it may have; `None` for one that is passed on as it comes.
fn lengths_to_read(
    route: &Route,
    header: &RequestHeader,
    limits: &Limits,
) -> Result<Option<(Option<usize>, usize)>, Rejection> {
    if matches!(route.price, RoutePrice::FromJson { .. }) {
        if header.headers.contains_key(CONTENT_ENCODING) {
            return Err(Rejection::UnsupportedMediaType("The body must not be compressed: its price stands in it."));
        }
        return Ok(Some(lengths(route, header)));
    }
    if !route.is_priced() || idempotency_key(header)?.is_none() {
        return Ok(None);
    }
    let (declared, bytes_max) = lengths(route, header);
    let worth_it = declared.is_some_and(|length| (1..=limits.idempotent_body_bytes_max).contains(&length));
    Ok(worth_it.then_some((declared, bytes_max)))
}

/// A body that declares no length must fit what pingora keeps, because nobody knows where its last part will begin.
fn lengths(route: &Route, header: &RequestHeader) -> (Option<usize>, usize) {
    let most = usize::try_from(route.body_bytes_max).unwrap_or(usize::MAX);
    let declared = declared_length(header).filter(|_| !header.headers.contains_key(TRANSFER_ENCODING));
    match declared.and_then(|length| usize::try_from(length).ok()) {
        Some(length) => (Some(length), most),
        None => (None, most.min(KEPT_BYTES)),
    }
}

/// pingora sends on what it keeps, and nothing when that overflowed. So it begins to keep when the rest fits, and what it then
/// sends is replaced by the whole (`forward_body`).
async fn read(session: &mut Session, declared: Option<usize>, bytes_max: usize) -> Result<Bytes, Rejection> {
    let mut whole = BytesMut::new();
    loop {
        if declared.is_none_or(|length| length.saturating_sub(whole.len()) <= KEPT_BYTES) {
            session.downstream_session.enable_retry_buffering();
        }
        match session.downstream_session.read_request_body().await.map_err(|error| fault(&error))? {
            None => return Ok(whole.freeze()),
            Some(piece) if whole.len() + piece.len() > bytes_max => {
                return Err(Rejection::BodyTooLarge { bytes_max: bytes_max as u64 });
            }
            Some(piece) => whole.extend_from_slice(&piece),
        }
    }
}

fn fault(error: &pingora::Error) -> Rejection {
    caller_fault(error).unwrap_or(Rejection::BadRequest("The request's body broke off."))
}
