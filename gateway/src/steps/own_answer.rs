//! An answer that the gateway writes itself, header and body at once.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use pingora::{ErrorType, OrErr, Result};

use crate::request::Request;
use crate::steps::answer_headers::on_any;
use crate::steps::header_lines::change_response;

/// `lines` are what this answer says beside what every answer does; `body` has a media type.
pub async fn write_own_answer(
    session: &mut Session,
    request: &Request,
    status: u16,
    mut lines: HeaderMap,
    body: Option<(&'static str, Vec<u8>)>,
) -> Result<()> {
    if let Some((kind, body)) = &body {
        lines.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        lines.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    on_any(&mut lines, request).or_err(ErrorType::InvalidHTTPHeader, "what callers are told makes no header")?;
    let mut header = ResponseHeader::build_no_case(status, None)?;
    change_response(&mut header, |own| *own = lines);
    session.write_response_header(Box::new(header), body.is_none()).await?;
    let Some((_, body)) = body else { return Ok(()) };
    session.write_response_body(Some(body.into()), true).await
}
