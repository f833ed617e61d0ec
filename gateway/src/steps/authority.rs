//! HTTP/2 names the host in a field of its own; from here on it stands where HTTP/1 has it.

use http::HeaderValue;
use http::Version;
use http::header::HOST;
use pingora::http::RequestHeader;
use pingora::{ErrorType, OrErr, Result};

/// pingora has refused two hosts that differ, so nothing is lost.
pub fn name_host(header: &mut RequestHeader) -> Result<()> {
    let Some(authority) = header.uri.authority().filter(|_| header.version == Version::HTTP_2) else { return Ok(()) };
    let host = HeaderValue::from_str(authority.as_str()).or_err(ErrorType::InvalidHTTPHeader, "no host")?;
    header.insert_header(HOST, host)
}
