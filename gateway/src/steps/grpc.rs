//! gRPC, which says in trailers how a call ended, and whose callers understand a refusal only in its own terms.

use std::fmt::Write as _;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, InvalidHeaderValue, TE, TRAILER};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use pingora::http::ResponseHeader;

use crate::rejection::{Code, Rejection};
use crate::request::Request;
use crate::steps::answer_headers::is_about_credits;
use crate::steps::trusted_headers::{REQUEST_ID, is_untrusted};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// gRFC A6: a caller that repeats by itself waits for so long.
const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");
const UNKNOWN: u8 = 2;
const STATUS_MAX: u8 = 16;

/// How an answer of the upstream ends, as far as it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrpcAnswer {
    /// `None` until the upstream has said it.
    pub status: Option<u8>,
}

impl GrpcAnswer {
    /// `None` for an answer that is no gRPC, as over HTTP/1, whose trailers are not seen. One without a message says its status in
    /// the header.
    pub fn of(header: &ResponseHeader) -> Option<Self> {
        (header.version == Version::HTTP_2 && is_grpc(&header.headers))
            .then(|| Self { status: status(&header.headers) })
    }
}

/// `application/grpc`, with or without what its messages are made of. gRPC-Web is another protocol.
pub fn is_grpc(lines: &HeaderMap) -> bool {
    let kind = lines.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let grpc = b"application/grpc";
    kind.get(..grpc.len()).is_some_and(|start| start.eq_ignore_ascii_case(grpc))
        && kind.get(grpc.len()).is_none_or(|next| b"+; ".contains(next))
}

/// What can't be read is `UNKNOWN`, as it is for the caller.
fn status(lines: &HeaderMap) -> Option<u8> {
    let value = lines.get(STATUS)?.to_str().ok().and_then(|text| text.parse().ok());
    Some(value.filter(|status| *status <= STATUS_MAX).unwrap_or(UNKNOWN))
}

/// What HTTP/2 says about trailers goes on where trailers can: from a caller of HTTP/2 to an upstream of HTTP/2.
pub fn keep_te(lines: &mut HeaderMap, trailers_pass: bool) {
    let takes_trailers = |value: &HeaderValue| {
        let mut options = value.as_bytes().split(|byte| *byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"trailers"))
    };
    let takes_trailers = trailers_pass && lines.get_all(TE).iter().any(takes_trailers);
    lines.remove(TE);
    // A caller's trailers end here, so none are announced.
    lines.remove(TRAILER);
    if takes_trailers {
        lines.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// The answer ends. What the gateway alone may say, or upstreams alone may be told, is no trailer either.
pub fn end_answer(trailers: &mut HeaderMap, request: &mut Request) {
    if let Some(report) = &mut request.price_report {
        report.trailers(trailers);
    }
    if let Some(answer) = &mut request.upstream.grpc {
        answer.status = status(trailers).or(answer.status);
    }
    let ours = |name: &HeaderName| is_untrusted(name) || is_about_credits(name) || *name == REQUEST_ID;
    let claimed: Vec<HeaderName> = trailers.keys().filter(|name| ours(name)).cloned().collect();
    for name in &claimed {
        trailers.remove(name);
    }
}

/// A refusal as a gRPC answer without a message: HTTP's 200, and the status in the header. `lines` are what it says beside.
pub fn refusal(rejection: &Rejection, lines: &mut HeaderMap) -> Result<(), InvalidHeaderValue> {
    let code = rejection.code();
    lines.remove(CONTENT_LENGTH);
    lines.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    lines.insert(STATUS, HeaderValue::from(u16::from(grpc_status(code))));
    lines.insert(MESSAGE, HeaderValue::try_from(message(code, rejection.detail()))?);
    if let Some(seconds) = rejection.retry_after_seconds() {
        lines.insert(PUSHBACK, HeaderValue::from(seconds.saturating_mul(1_000)));
    }
    Ok(())
}

/// The code comes first, so that a program finds it; bytes beyond plain ones are written in percent.
fn message(code: Code, detail: &str) -> String {
    let mut text = format!("{}: ", code.as_str());
    for byte in detail.bytes() {
        match byte {
            b'%' | ..=0x1f | 0x7f.. => write!(text, "%{byte:02X}").unwrap_or_default(),
            plain => text.push(char::from(plain)),
        }
    }
    text
}

/// `UNAVAILABLE` only where trying again soon helps, because callers' libraries do it by themselves.
fn grpc_status(code: Code) -> u8 {
    match code {
        Code::BadRequest | Code::UnsupportedMediaType | Code::IdempotencyKeyMismatch => 3,
        Code::BodyTooSlow | Code::UpstreamTimeout => 4,
        Code::IdempotencyKeyUsed => 6,
        Code::AccountSuspended
        | Code::AccountPending
        | Code::ScopeMissing
        | Code::AddressNotAllowed
        | Code::CrossSiteRequest => 7,
        Code::CreditsExhausted
        | Code::BudgetExhausted
        | Code::KeyCapExhausted
        | Code::RateLimited
        | Code::BodyTooLarge
        | Code::HeaderTooLarge => 8,
        Code::PaymentFailed => 9,
        Code::IdempotencyKeyInUse => 10,
        Code::NoRoute => 12,
        Code::Internal => 13,
        Code::UpstreamFailed | Code::MeterUnavailable | Code::SessionsUnavailable | Code::UpstreamBusy => 14,
        Code::InvalidApiKey | Code::InvalidSession | Code::SessionExpired => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut lines = HeaderMap::new();
        for (name, value) in all {
            lines.append(*name, HeaderValue::from_static(value));
        }
        lines
    }

    #[test]
    fn only_grpc_itself_is_grpc() {
        let answer_over = |version, kind| {
            let mut header = ResponseHeader::build(200, None).unwrap();
            header.set_version(version);
            header.insert_header("content-type", kind).unwrap();
            header.insert_header("grpc-status", "14").unwrap();
            GrpcAnswer::of(&header)
        };
        let answer = |kind| answer_over(Version::HTTP_2, kind);
        for kind in ["application/grpc", "application/grpc+proto", "Application/gRPC; charset=x"] {
            assert_eq!(answer(kind), Some(GrpcAnswer { status: Some(14) }), "{kind}");
        }
        for kind in ["application/grpc-web", "application/grpc-web+proto", "application/grpcx", "application/json", ""]
        {
            assert_eq!(answer(kind), None, "{kind}");
        }
        assert_eq!(answer_over(Version::HTTP_11, "application/grpc"), None);
    }

    #[test]
    fn a_status_that_is_none_is_unknown() {
        for (value, wanted) in [("0", 0), ("16", 16), ("17", 2), ("x", 2), ("", 2), ("256", 2)] {
            assert_eq!(status(&lines(&[("grpc-status", value)])), Some(wanted), "{value}");
        }
        assert_eq!(status(&lines(&[])), None);
    }

    #[test]
    fn of_te_only_trailers_goes_on_and_only_where_they_pass() {
        for (values, pass, wanted) in [
            (&["trailers"][..], true, Some("trailers")),
            (&["gzip, Trailers"], true, Some("trailers")),
            (&["gzip", "trailers"], true, Some("trailers")),
            (&["gzip"], true, None),
            (&["xtrailers"], true, None),
            (&["trailers"], false, None),
            (&[], true, None),
        ] {
            let said: Vec<_> = values.iter().map(|value| ("te", *value)).collect();
            let mut lines = lines(&[&said[..], &[("trailer", "x")]].concat());
            keep_te(&mut lines, pass);
            let kept: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
            assert_eq!(kept, wanted.map(|value| ("te", value)).into_iter().collect::<Vec<_>>(), "{values:?} {pass}");
        }
    }

    #[test]
    fn a_message_is_plain() {
        assert_eq!(message(Code::NoRoute, "50 % of …\n"), "no_route: 50 %25 of %E2%80%A6%0A");
    }
}
