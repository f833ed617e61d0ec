//! The gateway's own limits on a request's header, below those of the parser.

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use memchr::memchr_iter;
use pingora::http::RequestHeader;
use pingora::protocols::http::v1::server::HttpSession;
use pingora::proxy::Session;

use crate::limits::HeaderLimits;
use crate::rejection::Rejection;
use crate::steps::trusted_headers::is_untrusted;

/// The finding that a header is within its limits and can be read in one way only.
#[derive(Clone, Copy, Debug)]
pub struct Screened {
    /// Whether some line must be dropped before the request goes upstream.
    pub has_untrusted: bool,
}

/// A header of HTTP/1 as it came; HTTP/2 has no lines.
pub fn raw_header(session: &Session) -> Option<Bytes> {
    session.as_http1().map(HttpSession::get_headers_raw_bytes)
}

/// `raw`: the header as it came, where the protocol has such a form.
pub fn screen(header: &RequestHeader, raw: Option<&[u8]>, limits: HeaderLimits) -> Result<Screened, Rejection> {
    let mut bytes = header.raw_path().len();
    let (mut lengths, mut codings) = (0, 0);
    let mut has_untrusted = false;
    for (name, value) in &header.headers {
        // Four bytes a line: the colon, the space, the line's end.
        bytes += name.as_str().len() + value.len() + 4;
        has_untrusted |= is_untrusted(name);
        if name == CONTENT_LENGTH {
            lengths += 1;
            // Two lengths, even equal ones, are read differently by the servers behind.
            if lengths > 1 || !is_plain_number(value.as_bytes()) {
                return Err(Rejection::BadRequest("The request must have one Content-Length at most, a plain number."));
            }
        }
        if name == TRANSFER_ENCODING {
            codings += 1;
            if codings > 1 || !is_chunked_once(value) {
                return Err(Rejection::BadRequest(
                    "The request may be coded for transfer only as chunked, and only once.",
                ));
            }
        }
    }
    if bytes > limits.bytes_max || header.headers.len() > limits.count_max {
        return Err(Rejection::HeaderTooLarge);
    }
    if raw.is_some_and(has_bare_line_end) {
        return Err(Rejection::BadRequest("Each line of the request's header must end in CR LF."));
    }
    if !header.headers.get(HOST).is_some_and(|host| is_plain_host(host.as_bytes())) {
        return Err(Rejection::BadRequest("The request needs one plain Host."));
    }
    Ok(Screened { has_untrusted })
}

/// Zeros before a number make it octal to some servers.
fn is_plain_number(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit) && !text.is_empty() && (text == b"0" || !text.starts_with(b"0"))
}

/// `identity` says nothing and pingora drops it; every other list would be undone in another order by somebody.
fn is_chunked_once(coding: &HeaderValue) -> bool {
    let coding = coding.as_bytes().trim_ascii();
    coding.eq_ignore_ascii_case(b"chunked") || coding.eq_ignore_ascii_case(b"identity, chunked")
}

/// Whether a line ends in LF alone, which ends it for some servers and not for others. A bare CR is refused by the parser.
fn has_bare_line_end(raw: &[u8]) -> bool {
    memchr_iter(b'\n', raw).any(|at| at.checked_sub(1).and_then(|before| raw.get(before)) != Some(&b'\r'))
}

/// A name or an address, and one port at most.
fn is_plain_host(host: &[u8]) -> bool {
    let (name, port) = match host.iter().position(|byte| *byte == b']') {
        Some(end) if host.starts_with(b"[") => host.split_at(end + 1),
        _ => host.split_at(host.iter().position(|byte| *byte == b':').unwrap_or(host.len())),
    };
    let inner = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]"));
    let plain = match inner {
        Some(address) => address.iter().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte)),
        None => name.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte)),
    };
    let port_is_plain = match port {
        [] => true,
        [b':', digits @ ..] => (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    plain && port_is_plain && !inner.unwrap_or(name).is_empty() && host.len() <= 255
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeaderLimits = HeaderLimits { bytes_max: 200, count_max: 4 };

    fn screened(lines: &[(&'static str, &str)]) -> Result<bool, Rejection> {
        let mut header = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in lines {
            header.append_header(*name, *value).unwrap();
        }
        screen(&header, None, LIMITS).map(|screened| screened.has_untrusted)
    }

    #[test]
    fn limits_hold() {
        assert_eq!(screened(&[("Host", "a")]), Ok(false));
        assert_eq!(screened(&[("Host", "a"), ("X_Account", "1")]), Ok(true));
        assert_eq!(screened(&[("Host", "a"), ("X-Long", &"x".repeat(200))]), Err(Rejection::HeaderTooLarge));
        assert_eq!(
            screened(&[("Host", "a"), ("A", "1"), ("B", "1"), ("C", "1"), ("D", "1")]),
            Err(Rejection::HeaderTooLarge)
        );
    }

    #[test]
    fn ambiguous_headers_are_refused() {
        for lines in [
            &[][..],
            &[("Host", "a b")],
            &[("Host", "")],
            &[("Host", ":80")],
            &[("Host", "a:80:81")],
            &[("Host", "a:x")],
            &[("Host", "[::1]x")],
            &[("Host", "[]")],
            &[("Host", "::1")],
            &[("Host", "a"), ("Content-Length", "02")],
            &[("Host", "a"), ("Content-Length", "")],
            &[("Host", "a"), ("Transfer-Encoding", "chunked, chunked")],
            &[("Host", "a"), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
            &[("Host", "a"), ("Transfer-Encoding", "gzip, chunked")],
            &[("Host", "a"), ("Content-Length", "2"), ("Content-Length", "2")],
            &[("Host", "a"), ("Content-Length", "2, 2")],
            &[("Host", "a"), ("Content-Length", "+2")],
        ] {
            assert!(matches!(screened(lines), Err(Rejection::BadRequest(_))), "{lines:?}");
        }
    }

    #[test]
    fn plain_headers_pass() {
        for lines in [
            &[("Host", "a.b-c_d:8080")][..],
            &[("Host", "[::1]")],
            &[("Host", "[::ffff:1.2.3.4]:80")],
            &[("Host", "a"), ("Content-Length", "0")],
            &[("Host", "a"), ("Content-Length", "20")],
            &[("Host", "a"), ("Transfer-Encoding", "Chunked")],
            &[("Host", "a"), ("Transfer-Encoding", "identity, chunked")],
        ] {
            assert_eq!(screened(lines), Ok(false), "{lines:?}");
        }
    }

    #[test]
    fn lines_end_in_cr_and_lf() {
        assert!(!has_bare_line_end(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        for bare in [&b"GET / HTTP/1.1\nHost: a\r\n\r\n"[..], b"GET / HTTP/1.1\r\nHost: a\r\n\n", b"\n"] {
            assert!(has_bare_line_end(bare));
        }
    }
}
