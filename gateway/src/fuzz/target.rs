//! Whatever is sent as a target: it is refused, or it has one spelling that nobody reads in another way.

use pingora::http::RequestHeader;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::steps::canonical_target;

/// What tricks are made of, among honest pieces and bytes of chance.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const TRICKS: [&str; 32] = [
        "/", "/", "//", ".", "..", "/./", "/../", "%2e", "%2E%2e", "%2f", "%5c", "\\", ";", "%3b", "%", "%4", "%zz",
        "%00", "%0d%0a", "%25", "%c0%af", "%C3%A9", "%c3", "\u{e9}", "http://a", "#", "?", "?x=%0a", "&", "%61", "v1",
        "messages",
    ];
    prop_oneof![
        6 => prop::sample::select(&TRICKS[..]).prop_map(|trick| trick.as_bytes().to_vec()),
        2 => "[a-zA-Z0-9._~-]{1,6}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 1..3),
    ]
}

fn canonical(target: &[u8]) -> Option<String> {
    let header = RequestHeader::build("GET", target, None).ok()?;
    canonical_target(&header).ok().map(|target| target.uri().to_string())
}

/// Every escape taken for its byte, once.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
        decoded.push(escape.unwrap_or(bytes[at]));
        at += if escape.is_some() { 3 } else { 1 };
    }
    decoded
}

proptest! {
    #![proptest_config(super::config(5_000))]

    #[test]
    fn a_canonical_target_has_one_reading(pieces in vec(piece(), 0..8), slash in any::<bool>()) {
        let mut sent: Vec<u8> = if slash { b"/".to_vec() } else { vec![] };
        sent.extend(pieces.concat());
        // The parser cuts a fragment off before anybody sees it, and makes a slash of nothing.
        sent.truncate(sent.iter().position(|byte| *byte == b'#').unwrap_or(sent.len()));
        if sent.is_empty() {
            return Ok(());
        }
        let Some(spelled) = canonical(&sent) else { return Ok(()) };
        // Spelled once, it stays so.
        prop_assert_eq!(canonical(spelled.as_bytes()), Some(spelled.clone()));
        let path = spelled.split('?').next().unwrap_or_default();
        prop_assert!(path.starts_with('/') && spelled.bytes().all(|byte| byte.is_ascii_graphic()), "{}", spelled);
        // Nothing that takes escapes for their bytes, even twice, finds a segment, a dot or a line's end that was not to be seen.
        let once = decoded(path);
        prop_assert!(std::str::from_utf8(&once).is_ok());
        prop_assert!(!once.contains(&b'%') && !once.contains(&b'\\') && !once.contains(&b';'), "{}", spelled);
        prop_assert!(!once.iter().any(u8::is_ascii_control), "{}", spelled);
        prop_assert_eq!(once.split(|byte| *byte == b'/').count(), path.split('/').count());
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let (last, inner) = segments.split_last().unwrap();
        prop_assert!(inner.iter().all(|segment| !segment.is_empty()), "{}", spelled);
        prop_assert!(segments.iter().all(|segment| *segment != "." && *segment != ".."), "{} {}", spelled, last);
        // And it means what was sent.
        let meant = String::from_utf8_lossy(&sent).into_owned();
        let meant = meant.strip_prefix("http://").map_or(&*meant, |rest| &rest[rest.find('/').unwrap_or(0)..]);
        let meant = meant.split('?').next().unwrap_or_default();
        prop_assert_eq!(once, decoded(meant));
    }
}
