//! The one credential of a request, where its route looks for one. Two could be read differently behind us.

use config::routes::Auth;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use pingora::http::RequestHeader;

use crate::cookies::values;
use crate::rejection::Rejection;
use crate::steps::trusted_headers::API_KEY;

/// As it was sent: nothing of it is checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    None,
    Key(&'a str),
    /// A session token that the browser adds by itself, whoever made it ask.
    Cookie(&'a str),
    /// A session token that the page itself has added.
    Token(&'a str),
}

const TWO: Rejection = Rejection::BadRequest("The request has two credentials. Send one.");

/// `cookie` is the name of the session's; `None` while sessions are off.
pub fn credential<'a>(
    auth: Auth,
    header: &'a RequestHeader,
    cookie: Option<&str>,
) -> Result<Credential<'a>, Rejection> {
    let mut bearers = header.headers.get_all(AUTHORIZATION).iter();
    let mut keys = header.headers.get_all(API_KEY).iter();
    let (bearer, key) = (bearers.next(), keys.next());
    if bearers.next().is_some() || keys.next().is_some() || (bearer.is_some() && key.is_some()) {
        return Err(TWO);
    }
    let session = match cookie.filter(|_| auth.takes_session()) {
        Some(name) => session_cookie(header, name)?,
        None => None,
    };
    if session.is_some() && (bearer.is_some() || key.is_some()) {
        return Err(TWO);
    }
    Ok(match (auth, session, bearer.map(bearer_text), key) {
        (Auth::None, ..) => Credential::None,
        (_, Some(token), ..) => Credential::Cookie(token),
        (Auth::Session, _, Some(text), _) => Credential::Token(text),
        // A token has three parts with dots between them, and no API key has a dot.
        (Auth::Either, _, Some(text), _) if text.contains('.') && cookie.is_some() => Credential::Token(text),
        (_, _, Some(text), _) => Credential::Key(text),
        (Auth::ApiKey | Auth::Either, _, _, Some(key)) => Credential::Key(key.to_str().unwrap_or_default()),
        _ => Credential::None,
    })
}

/// Two cookies of the name are two credentials: one of them may have been planted by a neighbour of the host.
fn session_cookie<'a>(header: &'a RequestHeader, name: &str) -> Result<Option<&'a str>, Rejection> {
    let mut found = values(&header.headers, name);
    let first = found.next();
    if found.next().is_some() {
        return Err(Rejection::BadRequest("The request has two session cookies."));
    }
    Ok(first.map(|value| std::str::from_utf8(value).unwrap_or_default()))
}

/// What follows `Bearer `; empty for another scheme, which is no credential of ours.
fn bearer_text(value: &HeaderValue) -> &str {
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim_ascii(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(lines: &[(&'static str, &'static str)]) -> RequestHeader {
        let mut header = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in lines {
            header.append_header(*name, *value).unwrap();
        }
        header
    }

    const KEY: (&str, &str) = ("Authorization", "Bearer k");
    const TOKEN: (&str, &str) = ("Authorization", "Bearer a.b.c");
    const IN_ITS_OWN: (&str, &str) = ("X-Api-Key", "k");
    const COOKIE: (&str, &str) = ("Cookie", "theme=dark; s=a.b.c");

    #[test]
    fn a_route_finds_what_it_takes() {
        for (auth, lines, found) in [
            (Auth::ApiKey, &[][..], Credential::None),
            (Auth::ApiKey, &[KEY], Credential::Key("k")),
            (Auth::ApiKey, &[("Authorization", "bearer  k ")], Credential::Key("k")),
            (Auth::ApiKey, &[IN_ITS_OWN], Credential::Key("k")),
            (Auth::ApiKey, &[("Authorization", "Basic k")], Credential::Key("")),
            (Auth::ApiKey, &[TOKEN], Credential::Key("a.b.c")),
            (Auth::ApiKey, &[COOKIE, KEY], Credential::Key("k")),
            (Auth::ApiKey, &[COOKIE], Credential::None),
            (Auth::None, &[COOKIE, KEY], Credential::None),
            (Auth::Session, &[COOKIE], Credential::Cookie("a.b.c")),
            (Auth::Session, &[("Cookie", "x=1"), ("Cookie", "s=a.b.c")], Credential::Cookie("a.b.c")),
            (Auth::Session, &[TOKEN], Credential::Token("a.b.c")),
            (Auth::Session, &[KEY], Credential::Token("k")),
            (Auth::Session, &[IN_ITS_OWN], Credential::None),
            (Auth::Either, &[COOKIE], Credential::Cookie("a.b.c")),
            (Auth::Either, &[TOKEN], Credential::Token("a.b.c")),
            (Auth::Either, &[KEY], Credential::Key("k")),
            (Auth::Either, &[IN_ITS_OWN], Credential::Key("k")),
            (Auth::Either, &[], Credential::None),
        ] {
            assert_eq!(credential(auth, &header(lines), Some("s")), Ok(found), "{auth:?} {lines:?}");
        }
        let header = header(&[TOKEN]);
        assert_eq!(credential(Auth::Either, &header, None), Ok(Credential::Key("a.b.c")), "sessions are off");
    }

    #[test]
    fn two_credentials_are_refused() {
        for (auth, two) in [
            (Auth::None, &[KEY, KEY][..]),
            (Auth::ApiKey, &[KEY, IN_ITS_OWN]),
            (Auth::ApiKey, &[IN_ITS_OWN, IN_ITS_OWN]),
            (Auth::Either, &[COOKIE, KEY]),
            (Auth::Either, &[COOKIE, IN_ITS_OWN]),
            (Auth::Session, &[COOKIE, TOKEN]),
            (Auth::Session, &[COOKIE, COOKIE]),
            (Auth::Session, &[("Cookie", "s=a; s=a")]),
        ] {
            let found = credential(auth, &header(two), Some("s")).err();
            assert!(matches!(found, Some(Rejection::BadRequest(_))), "{auth:?} {two:?}");
        }
    }
}
