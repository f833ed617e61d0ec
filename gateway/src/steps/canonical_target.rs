//! One canonical request target serves route match, price, log and upstream; what has no canonical form is refused.
//!
//! Whoever reads a path in two ways can be made to check one and serve the other. So percent-escapes of harmless characters
//! are decoded, the rest is spelled in one way, and everything that servers are known to disagree about is answered 400.

use std::str;

use http::Uri;
use http::uri::PathAndQuery;
use pingora::http::RequestHeader;

use crate::rejection::Rejection;

/// A request target that every server reads in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalTarget(PathAndQuery);

impl CanonicalTarget {
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Path and query.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What the upstream gets, whatever the caller sent.
    pub fn uri(&self) -> Uri {
        Uri::from(self.0.clone())
    }
}

pub fn canonical_target(header: &RequestHeader) -> Result<CanonicalTarget, Rejection> {
    let raw = header.raw_path();
    let origin = origin_form(raw)?;
    match canonical_spelling(origin)? {
        // The common case: the caller's bytes are canonical, and pingora has parsed them already.
        None if origin.len() == raw.len() => match header.uri.path_and_query() {
            Some(parsed) if parsed.as_str().as_bytes() == raw => Ok(CanonicalTarget(parsed.clone())),
            _ => parse(origin),
        },
        None => parse(origin),
        Some(spelled) => parse(spelled.as_bytes()),
    }
}

fn parse(target: &[u8]) -> Result<CanonicalTarget, Rejection> {
    PathAndQuery::try_from(target).map(CanonicalTarget).map_err(|_| MALFORMED)
}

const MALFORMED: Rejection = Rejection::BadRequest("The request target is malformed or ambiguous.");

/// The path and query of `/path?query`, or of `http://host/path?query`; pingora has refused a host that is not `Host`'s.
fn origin_form(raw: &[u8]) -> Result<&[u8], Rejection> {
    if raw.first() == Some(&b'/') {
        return Ok(raw);
    }
    let rest = raw.strip_prefix(b"http://").or_else(|| raw.strip_prefix(b"https://")).ok_or(MALFORMED)?;
    let slash = rest.iter().position(|byte| *byte == b'/').ok_or(MALFORMED)?;
    let (authority, path) = rest.split_at(slash);
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
    if authority.is_empty() || !authority.iter().all(plain) {
        return Err(MALFORMED);
    }
    Ok(path)
}

/// `None` when the bytes are canonical as they are.
fn canonical_spelling(target: &[u8]) -> Result<Option<String>, Rejection> {
    let query_at = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at(query_at);
    let mut spelled: Option<String> = None;
    let mut at = 0;
    while let Some(&byte) = path.get(at) {
        if byte == b'%' {
            let decoded = escape(path, at)?;
            let spelled = spelled.get_or_insert_with(|| ascii(&path[..at]));
            spell_in_path(decoded, spelled)?;
            at += 3;
            continue;
        }
        if !may_stand_in_path(byte) {
            return Err(MALFORMED);
        }
        if let Some(spelled) = &mut spelled {
            spelled.push(char::from(byte));
        }
        at += 1;
    }
    check_segments(spelled.as_deref().map_or(path, str::as_bytes))?;
    check_escapes_are_utf8(path)?;
    check_query(query)?;
    Ok(spelled.map(|path| path + &ascii(query)))
}

/// Letters, digits and the harmless rest of RFC 3986's `pchar`; `;` is out, because servers cut paths at it.
fn may_stand_in_path(byte: u8) -> bool {
    byte == b'/' || byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

/// The byte that `%xx` at `at` stands for.
fn escape(text: &[u8], at: usize) -> Result<u8, Rejection> {
    let digits = text.get(at + 1..at + 3).ok_or(MALFORMED)?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(MALFORMED);
    Ok(digit(digits[0])? << 4 | digit(digits[1])?)
}

fn spell_in_path(decoded: u8, spelled: &mut String) -> Result<(), Rejection> {
    // A slash, dot, backslash, semicolon, percent sign or control character in disguise is nobody's honest path.
    if b"/.\\;%".contains(&decoded) || decoded.is_ascii_control() {
        return Err(MALFORMED);
    }
    if decoded.is_ascii_alphanumeric() || b"-_~".contains(&decoded) {
        spelled.push(char::from(decoded));
    } else {
        spelled.push('%');
        for nibble in [decoded >> 4, decoded & 15] {
            spelled.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
        }
    }
    Ok(())
}

fn check_segments(path: &[u8]) -> Result<(), Rejection> {
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        // The last segment may be empty: that is the slash at the end.
        let empty_inside = segment.is_empty() && segments.peek().is_some();
        if empty_inside || segment == b"." || segment == b".." {
            return Err(MALFORMED);
        }
    }
    Ok(())
}

/// Escaped bytes must be UTF-8: an overlong spelling of a slash is a slash to some servers.
fn check_escapes_are_utf8(path: &[u8]) -> Result<(), Rejection> {
    if !path.contains(&b'%') {
        return Ok(());
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut at = 0;
    while let Some(&byte) = path.get(at) {
        let (byte, width) = if byte == b'%' { (escape(path, at)?, 3) } else { (byte, 1) };
        decoded.push(byte);
        at += width;
    }
    str::from_utf8(&decoded).map(drop).map_err(|_| MALFORMED)
}

/// A query goes upstream as it is, if it is plain: no control characters, raw or escaped, nothing beyond ASCII.
fn check_query(query: &[u8]) -> Result<(), Rejection> {
    let mut at = 0;
    while let Some(&byte) = query.get(at) {
        if byte == b'%' {
            if matches!(escape(query, at)?, 0 | b'\r' | b'\n') {
                return Err(MALFORMED);
            }
            at += 3;
            continue;
        }
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@/?;[]|".contains(&byte);
        if !plain {
            return Err(MALFORMED);
        }
        at += 1;
    }
    Ok(())
}

/// The bytes were checked to be ASCII, or will be before anything is made of them.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(target: &[u8]) -> Option<String> {
        let header = RequestHeader::build("GET", target, None).ok()?;
        canonical_target(&header).ok().map(|target| target.uri().to_string())
    }

    #[test]
    fn harmless_spellings_become_one() {
        for (sent, served) in [
            ("/v1/messages", "/v1/messages"),
            ("/v1/messages?stream=1&a[]=2", "/v1/messages?stream=1&a[]=2"),
            ("/v1/%6Dessages", "/v1/messages"),
            ("/v1/%6dessages?x=%6d", "/v1/messages?x=%6d"),
            ("/v1/artifacts/a%20b", "/v1/artifacts/a%20b"),
            ("/v1/artifacts/%c3%a9", "/v1/artifacts/%C3%A9"),
            ("/v1/artifacts/", "/v1/artifacts/"),
            ("/", "/"),
            ("/?", "/?"),
            ("http://a/v1/usage?x=1", "/v1/usage?x=1"),
        ] {
            assert_eq!(canonical(sent.as_bytes()).as_deref(), Some(served), "{sent}");
        }
    }

    #[test]
    fn what_servers_disagree_about_is_refused() {
        for trick in [
            "admin",
            "*",
            "//admin",
            "/v1//messages",
            "/./admin",
            "/x/../admin",
            "/..",
            "/x/.",
            "/x/..%2fadmin",
            "/x%2Fadmin",
            "/x%5cadmin",
            "/\\admin",
            "/x/..;/admin",
            "/v1/messages;x",
            "/v1%3bx",
            "/%2e%2e/admin",
            "/x/%2e",
            "/%00",
            "/x%0d%0aHost:%20b",
            "/%0a",
            "/x%7f",
            "/%",
            "/%4",
            "/%zz",
            "/%25%32%66",
            "/%c0%af",
            "/%ff",
            "/a\u{e9}",
            "/a b",
            "/a\"b",
            "/<a>",
            "/a^b",
            "/a`b",
            "/{a}",
            "/a?%00",
            "/a?x=%0d%0a",
            "/a?x y",
            "/a?\u{e9}",
            "/a?%",
            "http://",
            "http://a",
            "http:///v1/usage",
            "http://a@b/v1/usage",
            "http://a%2f/v1/usage",
            "http://a\u{e9}/v1/usage",
            "ftp://a/v1/usage",
        ] {
            assert_eq!(canonical(trick.as_bytes()), None, "{trick}");
        }
    }
}
