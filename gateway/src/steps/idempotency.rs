//! A caller's `Idempotency-Key`: the request draws under it at most once a day, and a repeat is told the first one's receipt.

use http::HeaderName;
use http::header::CONTENT_TYPE;
use metering::{Fingerprint, Idempotency, IdempotencyKey, TimeMs};
use pingora::http::RequestHeader;

use crate::rejection::Rejection;
use crate::request::Request;
use crate::steps::body::declared_length;
use crate::steps::canonical_target::CanonicalTarget;
use crate::steps::draw::Balance;

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key.
const BYTES_MAX: usize = 255;

/// The key as written, quotes included; `None` without one.
pub fn idempotency_key(header: &RequestHeader) -> Result<Option<&[u8]>, Rejection> {
    let mut lines = header.headers.get_all(IDEMPOTENCY_KEY).iter();
    match (lines.next().map(http::HeaderValue::as_bytes), lines.next()) {
        (None, _) => Ok(None),
        (Some(key), None) if (1..=BYTES_MAX).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic) => {
            Ok(Some(key))
        }
        _ => Err(Rejection::BadRequest("An Idempotency-Key is one line of 1 to 255 visible ASCII characters.")),
    }
}

/// Under which key a priced request draws. `now` is its shard's, as a script judges marks by it.
pub fn draws_under(
    balance: &Balance,
    header: &RequestHeader,
    target: &CanonicalTarget,
    request: &Request,
    now: TimeMs,
) -> Result<Option<Idempotency>, Rejection> {
    let Some(key) = idempotency_key(header)? else { return Ok(None) };
    Ok(Some(Idempotency {
        key: IdempotencyKey::of(&[key]),
        fingerprint: fingerprint(header, target, request),
        in_use_until: now.plus_ms(balance.in_use_ms_max),
    }))
}

/// What makes two requests the same. A body that was not read before the draw stands there by its length alone.
fn fingerprint(header: &RequestHeader, target: &CanonicalTarget, request: &Request) -> Fingerprint {
    let length = declared_length(header).map_or_else(String::new, |length| length.to_string());
    let body: [&[u8]; 2] = match &request.whole_body {
        Some(body) => [b"body", body],
        None => [b"length", length.as_bytes()],
    };
    let kind = header.headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    Fingerprint::of(&[header.method.as_str().as_bytes(), target.as_str().as_bytes(), kind, body[0], body[1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(lines: &[&[u8]]) -> Result<Option<Vec<u8>>, Rejection> {
        let mut header = RequestHeader::build("POST", b"/", None).unwrap();
        for line in lines {
            header.append_header(IDEMPOTENCY_KEY, *line).unwrap();
        }
        idempotency_key(&header).map(|key| key.map(<[u8]>::to_vec))
    }

    #[test]
    fn a_key_is_one_line_of_visible_characters() {
        assert_eq!(key(&[]), Ok(None));
        for good in [&b"a"[..], b"\"quoted\"", b"6e8bc430-9c3a-11d9-9669-0800200c9a66", &[b'~'; 255]] {
            assert_eq!(key(&[good]), Ok(Some(good.to_vec())));
        }
        for wrong in [&[&b""[..]][..], &[b"a b"], &[b"a\tb"], &[b"\xc3\xa9"], &[&[b'a'; 256]], &[b"a", b"a"]] {
            assert!(matches!(key(wrong), Err(Rejection::BadRequest(_))), "{wrong:?}");
        }
    }
}
