//! What an upstream may trust: the canonical target, and headers of ours; a caller's of the same name are dropped, and the
//! caller's credential stays here.

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, EXPECT, HOST, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use pingora::http::RequestHeader;
use pingora::{ErrorType, OrErr, Result};

use crate::admission::Admission;
use crate::cookies;
use crate::principal::Principal;
use crate::request::Request;
use crate::steps::grpc::keep_te;
use crate::steps::header_lines::{address, change_request, number};
use crate::traces::{TRACEPARENT, incoming, new_traceparent};

pub const ACCOUNT: HeaderName = HeaderName::from_static("tollgate-account");
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOLD: HeaderName = HeaderName::from_static("tollgate-hold");
const KEY_ID: HeaderName = HeaderName::from_static("tollgate-key-id");
const PRICE_DRAWN: HeaderName = HeaderName::from_static("tollgate-price-drawn");
const SUBJECT: HeaderName = HeaderName::from_static("tollgate-subject");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// As many as are added at most: room for all of them is made at once.
const LINES_MAX: usize = 9;

/// Whether a caller may not send this header on. A name with `_` may be the same variable as one with `-` to a server behind.
pub fn is_untrusted(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("tollgate-")
        || name.starts_with("x-forwarded-")
        || name == "forwarded"
        || name == "x-real-ip"
        || name.as_bytes().contains(&b'_')
}

/// `session_cookie` is taken out, because a browser sends it on every path of the host; but for routes that keep it.
pub fn set_trusted_headers(header: &mut RequestHeader, request: &Request, session_cookie: Option<&str>) -> Result<()> {
    let Some(admission) = &request.admission else { return Ok(()) };
    let to_http2 = header.version == Version::HTTP_2;
    change_request(header, |parts| {
        parts.uri = admission.target().uri();
        if let Some(name) = session_cookie.filter(|_| !admission.route().keeps_session_cookie) {
            cookies::remove(&mut parts.headers, name);
        }
        set_lines(&mut parts.headers, admission, request, to_http2)
    })
    .or_err(ErrorType::InvalidHTTPHeader, "what upstreams are told makes no header")
}

fn set_lines(
    lines: &mut HeaderMap,
    admission: &Admission,
    request: &Request,
    to_http2: bool,
) -> Result<(), InvalidHeaderValue> {
    if admission.has_untrusted_headers() {
        let untrusted: Vec<HeaderName> = lines.keys().filter(|name| is_untrusted(name)).cloned().collect();
        for name in &untrusted {
            lines.remove(name);
        }
    }
    lines.reserve(LINES_MAX);
    if let Some(caller) = admission.caller() {
        lines.remove(AUTHORIZATION);
        lines.remove(API_KEY);
        lines.insert(ACCOUNT, caller.account_value().clone());
        match caller {
            Principal::Key(caller) => lines.insert(KEY_ID, caller.key_value.clone()),
            Principal::Session(session, _) => lines.insert(SUBJECT, session.subject_value.clone()),
        };
    }
    if let Some(host) = lines.get(HOST).cloned() {
        lines.insert(FORWARDED_HOST, host);
    }
    if let Some(place) = admission.place() {
        lines.insert(HOST, place.host().clone());
    }
    lines.insert(FORWARDED_PROTO, HeaderValue::from_static(if request.way.secure { "https" } else { "http" }));
    if let Some(caller) = request.way.address {
        lines.insert(FORWARDED_FOR, address(caller)?);
    }
    if admission.route().hold().is_some() {
        // The most that the server behind may charge.
        lines.insert(HOLD, number(admission.debit().map_or(0, |debit| debit.credits().get())));
    } else if admission.route().is_priced() {
        // A server that does more for a price must not trust what it reads in the body itself.
        let drawn = admission.debit().map_or(0, |debit| debit.credits().get());
        lines.insert(PRICE_DRAWN, number(drawn));
    }
    if request.whole_body.is_some() {
        // The caller was told to go on already.
        lines.remove(EXPECT);
    }
    keep_te(lines, request.way.http2 && to_http2);
    if admission.route().watches_body() {
        // A compressed stream could not be watched for its end, or its price.
        lines.remove(ACCEPT_ENCODING);
    }
    lines.insert(REQUEST_ID, request.id.clone());
    set_trace(lines, request)
}

/// A sampled request's trace goes on under its own span, another one's as it came; `tracestate` belongs to what was continued.
fn set_trace(lines: &mut HeaderMap, request: &Request) -> Result<(), InvalidHeaderValue> {
    let continued = match &request.trace {
        Some(trace) => {
            lines.insert(TRACEPARENT, HeaderValue::try_from(trace.to_upstream())?);
            trace.is_continued()
        }
        None if incoming(lines).is_some() => true,
        None => {
            lines.insert(TRACEPARENT, HeaderValue::try_from(new_traceparent(request.op))?);
            false
        }
    };
    if !continued {
        lines.remove(TRACESTATE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_that_upstreams_trust_are_known() {
        for name in [
            "tollgate-account",
            "tollgate-anything",
            "x-forwarded-for",
            "x-forwarded-x",
            "forwarded",
            "x_account",
            "a_b",
        ] {
            assert!(is_untrusted(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["accept", "x-forward", "x-account", "content-type"] {
            assert!(!is_untrusted(&HeaderName::from_static(name)), "{name}");
        }
    }
}
