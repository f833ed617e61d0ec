//! W3C Trace Context, version 00: which trace a request belongs to.

use http::{HeaderMap, HeaderName};
use metering::OpId;

pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub const SAMPLED: u8 = 1;

/// What the caller said: its trace, and its span in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    pub trace: u128,
    pub span: u64,
    pub flags: u8,
}

impl Parent {
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

/// `None` without a `traceparent`, with more than one, or with one that is none.
pub fn incoming(lines: &HeaderMap) -> Option<Parent> {
    let mut values = lines.get_all(TRACEPARENT).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { parse(value.as_bytes()) }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; ids of zeros are none.
fn parse(value: &[u8]) -> Option<Parent> {
    let mut parts = value.split(|byte| *byte == b'-');
    let mut next = |length| {
        let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let part = parts.next().filter(|part| part.len() == length && part.iter().all(hex))?;
        u128::from_str_radix(std::str::from_utf8(part).ok()?, 16).ok()
    };
    let version = next(2)?;
    let (trace, span, flags) = (next(32)?, u64::try_from(next(16)?).ok()?, u8::try_from(next(2)?).ok()?);
    (version == 0 && trace != 0 && span != 0 && parts.next().is_none()).then_some(Parent { trace, span, flags })
}

/// `parent`: the span that the upstream's belong to. Sampled; of the flags that came the other ones stay.
pub fn traceparent(trace: u128, parent: u64, flags: u8) -> String {
    format!("00-{trace:032x}-{parent:016x}-{:02x}", flags | SAMPLED)
}

/// A trace of its own, not sampled, whose id is the request's, so that the upstream's traces are found by it.
pub fn new_traceparent(op: OpId) -> String {
    let id = op.hex();
    ["00-", &id, "-", &id[16..], "-00"].concat()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";

    #[test]
    fn a_traceparent_is_read_only_when_it_is_one() {
        let parent = parse(GOOD.as_bytes()).unwrap();
        assert_eq!(traceparent(parent.trace, parent.span, parent.flags), GOOD);
        assert!(parent.is_sampled());
        for wrong in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn two_traceparents_are_none() {
        let mut lines = HeaderMap::new();
        lines.append(TRACEPARENT, GOOD.parse().unwrap());
        assert!(incoming(&lines).is_some());
        lines.append(TRACEPARENT, GOOD.parse().unwrap());
        assert_eq!(incoming(&lines), None);
    }

    #[test]
    fn a_new_trace_has_the_id_of_the_request() {
        let parent = parse(new_traceparent(OpId::from_uuid(Uuid::now_v7())).as_bytes()).unwrap();
        assert!(!parent.is_sampled());
    }
}
