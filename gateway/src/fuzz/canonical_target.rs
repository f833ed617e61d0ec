//! Whatever is sent as a target: it is refused, or it has one spelling that nobody reads in another way.

use pingora::http::RequestHeader;

use crate::fuzz::route_match::demo_route;
use crate::steps;

/// The input is the target as it stands in the request line.
pub fn canonical_target(sent: &[u8]) {
    // The parser cuts a fragment off before anybody sees it, and makes a slash of nothing.
    let sent = &sent[..sent.iter().position(|byte| *byte == b'#').unwrap_or(sent.len())];
    if sent.is_empty() {
        return;
    }
    let Ok(mut header) = RequestHeader::build("GET", sent, None) else { return };
    let Ok(target) = steps::canonical_target(&header) else { return };
    let spelled = target.uri().to_string();
    has_one_reading(&spelled);
    assert_eq!(decoded(path(&spelled)), decoded(path(origin(sent))), "it means what was sent");
    // Route match and upstream see the same: the upstream's request line read again is the same target, on the same route.
    let chosen = demo_route(&header, &target);
    header.set_uri(target.uri());
    assert_eq!(header.raw_path(), spelled.as_bytes(), "the upstream gets what was matched");
    let again = steps::canonical_target(&header).expect("what is canonical stays so");
    assert_eq!(again, target, "spelled once, it stays so");
    assert_eq!(target.path(), path(&spelled));
    assert_eq!(demo_route(&header, &again), chosen, "the upstream's target takes the same route");
}

/// Nothing that takes escapes for their bytes, even twice, finds a segment, a dot or a line's end that was not to be seen.
fn has_one_reading(spelled: &str) {
    assert!(spelled.bytes().all(|byte| byte.is_ascii_graphic()), "{spelled}");
    let path = path(spelled);
    let once = decoded(path);
    assert!(std::str::from_utf8(&once).is_ok(), "{spelled}");
    assert!(!once.iter().any(|byte| b"%\\;".contains(byte) || byte.is_ascii_control()), "{spelled}");
    assert_eq!(once.split(|byte| *byte == b'/').count(), path.split('/').count(), "{spelled}");
    assert!(path.starts_with('/') && !path.contains("//"), "{spelled}");
    assert!(path.split('/').all(|segment| segment != "." && segment != ".."), "{spelled}");
    let query = decoded(&spelled[path.len()..]);
    assert!(!query.iter().any(|byte| b"\r\n\0".contains(byte)), "{spelled}");
}

/// Path and query of what was sent.
fn origin(sent: &[u8]) -> &str {
    let sent = std::str::from_utf8(sent).expect("what is beyond ASCII is refused");
    let rest = sent.strip_prefix("http://").or_else(|| sent.strip_prefix("https://"));
    rest.map_or(sent, |rest| &rest[rest.find('/').unwrap_or(rest.len())..])
}

fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

/// Every escape taken for its byte, once.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            decoded.push(u8::from_str_radix(&text[at + 1..at + 3], 16).expect("an escape has two digits"));
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    decoded
}
