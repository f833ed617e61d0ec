//! One cookie of a request, by its names.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// The value of the only cookie that has one of these names. Two of them are none: nobody could say which was meant.
pub fn only<'a>(lines: &'a HeaderMap, names: &[&str]) -> Option<&'a str> {
    let pairs = lines.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let mut found = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| names.contains(name));
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_stands_twice_is_none() {
        let of = |line: &'static str| {
            let mut lines = HeaderMap::new();
            lines.insert(COOKIE, line.parse().unwrap());
            only(&lines, &["a", "__Host-a"]).map(str::to_owned)
        };
        assert_eq!(of("b=1; a=2;c=3").as_deref(), Some("2"));
        assert_eq!(of("__Host-a=x=y").as_deref(), Some("x=y"));
        assert_eq!(of("a=1; a=2"), None);
        assert_eq!(of("a=1; __Host-a=2"), None);
        assert_eq!(of("A=1"), None);
    }
}
