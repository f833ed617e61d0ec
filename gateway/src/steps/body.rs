//! The limits on a request's body: declared, counted, and in time.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use pingora::http::RequestHeader;
use pingora::proxy::Session;

use crate::gateway::Gateway;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::route_table::Route;
use crate::steps::pay_messages::pay_messages;
use crate::steps::upgrade::check_upgrade;

/// What the header declares, an upgrade or a length; nothing is drawn for what would be refused.
pub fn check_declared(route: &Route, header: &RequestHeader) -> Result<(), Rejection> {
    check_upgrade(route, header)?;
    match declared_length(header) {
        Some(bytes) if bytes > route.body_bytes_max => Err(Rejection::BodyTooLarge { bytes_max: route.body_bytes_max }),
        _ => Ok(()),
    }
}

pub fn declared_length(header: &RequestHeader) -> Option<u64> {
    header.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// Sends a body that was read before, in place of what pingora kept of it; counts the pieces of another, or draws for its messages.
pub async fn forward_body(
    gateway: &Gateway,
    session: &mut Session,
    request: &mut Request,
    piece: &mut Option<Bytes>,
) -> Result<(), Rejection> {
    if request.messages.is_some() {
        Box::pin(pay_messages(gateway, session, request, piece)).await;
        return Ok(());
    }
    match &request.whole_body {
        Some(whole) => {
            *piece = Some(whole.clone());
            Ok(())
        }
        None => count_body(request, piece.as_ref().map_or(0, Bytes::len), gateway.limits.body),
    }
}

/// What arrives: a chunked body declares nothing, and a slow one would hold the connection for ever.
fn count_body(request: &mut Request, bytes: usize, ms_max: Duration) -> Result<(), Rejection> {
    request.body_bytes += bytes as u64;
    if request.is_upgraded() {
        return Ok(());
    }
    let Some(admission) = &request.admission else { return Ok(()) };
    let bytes_max = admission.route().body_bytes_max;
    if request.body_bytes > bytes_max {
        return Err(Rejection::BodyTooLarge { bytes_max });
    }
    if request.started.elapsed() > ms_max {
        return Err(Rejection::BodyTooSlow);
    }
    Ok(())
}
