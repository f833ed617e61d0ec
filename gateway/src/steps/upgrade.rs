//! The upgrade to `websocket`: a route that takes it admits nothing but its handshake, and no other route upgrades anything.

use config::routes::Upgrade;
use http::header::{
    AsHeaderName, CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, StatusCode, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

use crate::admission::Admission;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::route_table::Route;

/// Nothing is drawn for what the upstream could not take up anyway.
pub fn check_upgrade(route: &Route, header: &RequestHeader) -> Result<(), Rejection> {
    match route.upgrade {
        Some(Upgrade::Websocket) if !is_handshake(header) => {
            Err(Rejection::BadRequest("This path takes the handshake of a WebSocket (version 13) and nothing else."))
        }
        _ => Ok(()),
    }
}

/// RFC 6455, 4.1. The method is the route's.
fn is_handshake(header: &RequestHeader) -> bool {
    let lines = &header.headers;
    let asks = lines.get_all(CONNECTION).iter().any(|options| {
        let mut options = options.as_bytes().split(|byte| *byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    });
    let has_body = lines.contains_key(CONTENT_LENGTH) || lines.contains_key(TRANSFER_ENCODING);
    header.version == Version::HTTP_11
        && asks
        && !has_body
        && only(lines, UPGRADE).is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
        && only(lines, SEC_WEBSOCKET_VERSION) == Some(b"13")
        && only(lines, SEC_WEBSOCKET_KEY).is_some_and(is_key)
}

/// The value of a line that stands there once.
fn only(lines: &HeaderMap, name: impl AsHeaderName) -> Option<&[u8]> {
    let mut values = lines.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).map(http::HeaderValue::as_bytes)
}

/// Sixteen bytes in base64.
fn is_key(key: &[u8]) -> bool {
    let letters = key.strip_suffix(b"==").unwrap_or_default();
    letters.len() == 22 && letters.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
}

/// Whether this answer takes up the upgrade that was asked for. From here on the caller may be silent as long as the upstream may.
pub fn upgrades(session: &mut Session, header: &ResponseHeader, request: &Request) -> Result<bool> {
    if header.status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(false);
    }
    let Some(route) = request.admission.as_ref().map(Admission::route).filter(|route| route.upgrade.is_some()) else {
        return Err(Error::explain(ErrorType::InvalidHTTPHeader, "an upgrade nobody asked for").into_up());
    };
    session.set_read_timeout(Some(route.timeouts.response));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "WebSocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn handshake(lines: &[(&'static str, &'static str)]) -> bool {
        let mut header = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in lines {
            header.append_header(*name, *value).unwrap();
        }
        is_handshake(&header)
    }

    #[test]
    fn a_handshake_is_whole_or_none() {
        assert!(handshake(&GOOD));
        for (at, wrong) in [
            (0, ("Connection", "keep-alive")),
            (0, ("Connection", "not-upgrade")),
            (1, ("Upgrade", "h2c")),
            (1, ("Upgrade", "websocket, h2c")),
            (2, ("Sec-WebSocket-Version", "8")),
            (3, ("Sec-WebSocket-Key", "short==")),
            (3, ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ")),
        ] {
            let mut lines = GOOD;
            lines[at] = wrong;
            assert!(!handshake(&lines), "{wrong:?}");
            assert!(!handshake(&[&GOOD[..at], &GOOD[at + 1..]].concat()), "without {}", wrong.0);
        }
        for more in
            [("Upgrade", "h2c"), ("Sec-WebSocket-Key", "x"), ("Content-Length", "0"), ("Transfer-Encoding", "chunked")]
        {
            assert!(!handshake(&[&GOOD[..], &[more]].concat()), "{more:?}");
        }
    }
}
