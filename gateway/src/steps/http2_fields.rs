//! What HTTP/2 says in its own way, said as HTTP/1 does: one `Host` line, one `Cookie` line.

use http::header::{COOKIE, HOST};
use http::{HeaderValue, Version};
use pingora::http::RequestHeader;
use pingora::{ErrorType, OrErr, Result};

/// From here on every step, and the upstream, reads one form of it.
pub fn say_as_http1(header: &mut RequestHeader) -> Result<()> {
    if header.version != Version::HTTP_2 {
        return Ok(());
    }
    // pingora has refused an authority that differs from a `Host` line, so nothing is lost.
    if let Some(authority) = header.uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).or_err(ErrorType::InvalidHTTPHeader, "no host")?;
        header.insert_header(HOST, host)?;
    }
    // RFC 9113, 8.2.3: cookies may come apart, and must be put together for HTTP/1.
    let crumbs: Vec<&[u8]> = header.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() > 1 {
        let whole =
            HeaderValue::from_bytes(&crumbs.join(&b"; "[..])).or_err(ErrorType::InvalidHTTPHeader, "no cookie")?;
        header.insert_header(COOKIE, whole)?;
    }
    Ok(())
}
