//! The gateway's own limits on a request's header, below those of the parser.

use http::header::{CONTENT_LENGTH, HOST};
use pingora::http::RequestHeader;

use crate::limits::HeaderLimits;
use crate::rejection::Rejection;
use crate::steps::trusted_headers::is_untrusted;

/// The finding that a header is within its limits and can be read in one way only.
#[derive(Clone, Copy, Debug)]
pub struct Screened {
    /// Whether some line must be dropped before the request goes upstream.
    pub has_untrusted: bool,
}

pub fn screen(header: &RequestHeader, limits: HeaderLimits) -> Result<Screened, Rejection> {
    let mut bytes = header.raw_path().len();
    let mut lengths = 0;
    let mut has_untrusted = false;
    for (name, value) in &header.headers {
        // Four bytes a line: the colon, the space, the line's end.
        bytes += name.as_str().len() + value.len() + 4;
        has_untrusted |= is_untrusted(name);
        if name == CONTENT_LENGTH {
            lengths += 1;
            // Two lengths, even equal ones, are read differently by the servers behind.
            if lengths > 1 || !value.as_bytes().iter().all(u8::is_ascii_digit) {
                return Err(Rejection::BadRequest("The request must have one Content-Length at most, a plain number."));
            }
        }
    }
    if bytes > limits.bytes_max || header.headers.len() > limits.count_max {
        return Err(Rejection::HeaderTooLarge);
    }
    let host = header.headers.get(HOST).map(http::HeaderValue::as_bytes).unwrap_or_default();
    if host.is_empty()
        || host.len() > 255
        || !host.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(byte))
    {
        return Err(Rejection::BadRequest("The request needs one plain Host."));
    }
    Ok(Screened { has_untrusted })
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
        screen(&header, LIMITS).map(|screened| screened.has_untrusted)
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
            &[("Host", "a"), ("Content-Length", "2"), ("Content-Length", "2")],
            &[("Host", "a"), ("Content-Length", "2, 2")],
            &[("Host", "a"), ("Content-Length", "+2")],
        ] {
            assert!(matches!(screened(lines), Err(Rejection::BadRequest(_))), "{lines:?}");
        }
    }
}
