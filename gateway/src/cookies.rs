//! Cookies of a request: one is read by its name, and taken out of what goes upstream.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// All values of the cookies of this name, in all `Cookie` lines.
pub fn values<'a>(lines: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    lines.get_all(COOKIE).iter().flat_map(pairs).filter_map(move |pair| value_of(pair, name))
}

/// Takes the cookies of this name out; the others stay as they were sent.
pub fn remove(lines: &mut HeaderMap, name: &str) {
    if values(lines, name).next().is_none() {
        return;
    }
    let kept: Vec<HeaderValue> = lines
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| {
            let pairs: Vec<&[u8]> = pairs(line).filter(|pair| value_of(pair, name).is_none()).collect();
            let rest = HeaderValue::from_bytes(&pairs.join(&b"; "[..])).ok();
            rest.filter(|rest| !rest.is_empty())
        })
        .collect();
    lines.remove(COOKIE);
    for line in kept {
        lines.append(COOKIE, line);
    }
}

fn pairs(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    (pair[..at].trim_ascii() == name.as_bytes()).then(|| pair[at + 1..].trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_is_taken_out_and_the_others_stay() {
        for (sent, kept) in [
            (&["s=1"][..], &[][..]),
            (&["a=1; s=2; b=3"], &["a=1; b=3"]),
            (&["s = 2 ;a=1"], &["a=1"]),
            (&["a=1", "s=2", "b=\"s=2\""], &["a=1", "b=\"s=2\""]),
            (&["xs=1; s2=2; S=3; s"], &["xs=1; s2=2; S=3; s"]),
            (&[], &[]),
        ] {
            let mut lines = HeaderMap::new();
            for line in sent {
                lines.append(COOKIE, HeaderValue::from_static(line));
            }
            remove(&mut lines, "s");
            let left: Vec<&str> = lines.get_all(COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
            assert_eq!(left, kept, "{sent:?}");
            assert_eq!(values(&lines, "s").count(), 0);
        }
    }
}
