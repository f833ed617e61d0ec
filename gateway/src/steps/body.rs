//! The limits on a request's body: declared, counted, and in time.

use std::time::Duration;

use http::header::CONTENT_LENGTH;
use pingora::http::RequestHeader;

use crate::rejection::Rejection;
use crate::request::Request;
use crate::route_table::Route;

/// What the header declares; nothing is drawn for a body that would be refused.
pub fn check_declared_length(route: &Route, header: &RequestHeader) -> Result<(), Rejection> {
    let declared = header.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match declared {
        Some(bytes) if bytes > route.body_bytes_max => Err(Rejection::BodyTooLarge { bytes_max: route.body_bytes_max }),
        _ => Ok(()),
    }
}

/// What arrives: a chunked body declares nothing, and a slow one would hold the connection for ever.
pub fn count_body(request: &mut Request, bytes: usize, ms_max: Duration) -> Result<(), Rejection> {
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
