//! The checks of `session_cookie`.

use super::super::file::Entry;
use super::super::{Auth, SessionCookie};
use super::Source;
use crate::error::ConfigError;

pub(super) fn check(source: &Source<'_>, entry: &Entry) -> Result<SessionCookie, ConfigError> {
    let Some(written) = &entry.session_cookie else { return Ok(SessionCookie::default()) };
    if *written.get_ref() == SessionCookie::Drop {
        return Ok(SessionCookie::Drop);
    }
    if entry.auth != Auth::None {
        let why = "`session_cookie = \"keep\"` needs auth \"none\": where the gateway looks at the session, it tells the upstream whose it is";
        return Err(source.at(written, why));
    }
    if entry.upstream.is_none() {
        return Err(source.at(written, "`session_cookie = \"keep\"` needs an upstream that looks at it"));
    }
    if entry.cors.as_ref().is_some_and(|cors| cors.get_ref().credentials) {
        return Err(
            source.at(written, "a session's cookie is not kept for pages of other sites: leave out cors.credentials")
        );
    }
    Ok(SessionCookie::Keep)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::super::{Route, SessionCookie, parse};

    fn route(lines: &str) -> Result<Route, String> {
        let upstreams = BTreeMap::from([("console".to_owned(), "http://127.0.0.1:8091".parse().unwrap())]);
        let text = format!("[[route]]\nname = \"a\"\nmethod = \"GET\"\npath = \"/a\"\n{lines}\n");
        parse("routes.toml", &text, &upstreams).map(|mut routes| routes.remove(0)).map_err(|error| error.to_string())
    }

    #[test]
    fn only_a_free_route_without_auth_keeps_the_cookie() {
        let open = "auth = \"none\"\nprice = 0\nupstream = \"console\"\n";
        let kept = |lines: &str| route(lines).unwrap().session_cookie;
        assert_eq!(kept(open), SessionCookie::Drop);
        assert_eq!(kept(&format!("{open}session_cookie = \"drop\"")), SessionCookie::Drop);
        assert_eq!(kept(&format!("{open}session_cookie = \"keep\"")), SessionCookie::Keep);
        assert_eq!(kept(&open.replace("none", "session")), SessionCookie::Drop);
        let keep = |lines: &str| route(&format!("session_cookie = \"keep\"\n{lines}")).expect_err(lines);
        for auth in ["api_key", "session", "either"] {
            let error = keep(&open.replace("none", auth));
            assert!(error.starts_with("routes.toml:5: `session_cookie = \"keep\"` needs auth \"none\""), "{error}");
        }
        let error = keep(&open.replace("price = 0", "price = 1"));
        assert!(error.starts_with("routes.toml:7: a price needs auth"), "{error}");
        let error = keep("auth = \"none\"\nprice = 0\nanswer = \"credits\"");
        assert!(error.starts_with("routes.toml:"), "{error}");
        let error = keep(&format!("{open}[route.cors]\norigins = [\"https://a\"]\ncredentials = true"));
        assert!(error.starts_with("routes.toml:5: a session's cookie is not kept for pages of other sites"), "{error}");
        assert!(route(&format!("{open}session_cookie = \"pass\"")).unwrap_err().starts_with("routes.toml:8: "));
    }

    #[test]
    fn what_draws_has_a_path_of_its_own() {
        let lines = |auth: &str, price: &str, to: &str| {
            let path = "method = \"GET\"\npath = \"/a/{rest...}\"\n";
            format!("[[route]]\nname = \"a\"\n{path}auth = \"{auth}\"\nprice = {price}\n{to}\n")
        };
        let upstreams = BTreeMap::from([("console".to_owned(), "http://127.0.0.1:8091".parse().unwrap())]);
        let read = |text: &str| parse("routes.toml", text, &upstreams).map(|_| ()).map_err(|error| error.to_string());
        let upstream = "upstream = \"console\"";
        assert_eq!(read(&lines("none", "0", upstream)), Ok(()));
        assert_eq!(read(&lines("api_key", "0", upstream)), Ok(()));
        for (auth, price, to) in [
            ("api_key", "1", upstream),
            ("api_key", "{ header = \"N\", min = 1, max = 2 }", upstream),
            ("api_key", "{ hold = 5, report = \"header\" }", upstream),
            ("api_key", "0", "answer = \"credits\""),
            ("api_key", "0", "upstream = \"console\"\nupgrade = \"websocket\"\nprice_per_message = 1"),
        ] {
            let error = read(&lines(auth, price, to)).unwrap_err();
            assert_eq!(error, "routes.toml:4: a path with `{…...}` needs price 0 and an upstream", "{price} {to}");
        }
    }
}
