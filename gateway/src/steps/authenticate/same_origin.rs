//! A browser sends a session's cookie along whoever made it ask. So what changes something with the cookie, a write or a draw,
//! must come from a page of this host.

use config::sessions::Scheme;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderName, HeaderValue, Method};
use pingora::http::RequestHeader;
use sessions::Sessions;

use super::Credential;
use crate::rejection::Rejection;
use crate::route_table::Route;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Nothing but the header is needed, so this comes before the token costs anything.
pub fn same_origin(
    route: &Route,
    header: &RequestHeader,
    credential: &Credential<'_>,
    sessions: Option<&Sessions>,
) -> Result<(), Rejection> {
    let scheme = sessions.map_or(Scheme::Https, |sessions| sessions.rules().scheme);
    // Pages of any site may open a WebSocket, and no other rule of browsers stands before it.
    check(route.is_priced() || route.upgrade.is_some(), header, credential, scheme)
}

fn check(draws: bool, header: &RequestHeader, credential: &Credential<'_>, scheme: Scheme) -> Result<(), Rejection> {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&header.method);
    if (safe && !draws) || !matches!(credential, Credential::Cookie(_)) {
        return Ok(());
    }
    if !is_from_here(header, scheme) {
        return Err(Rejection::CrossSiteRequest);
    }
    // A form of another site can't be of this kind without asking first.
    if !safe && !is_json(header) {
        return Err(Rejection::UnsupportedMediaType("A request with a session cookie must be `application/json`."));
    }
    Ok(())
}

fn is_from_here(header: &RequestHeader, scheme: Scheme) -> bool {
    match all(header, &SEC_FETCH_SITE).as_slice() {
        // Browsers of before 2023 say it by the origin alone.
        [] => {
            let host = header.headers.get(HOST).map(HeaderValue::as_bytes).unwrap_or_default();
            let own = [scheme.as_str().as_bytes(), b"://", host].concat();
            matches!(all(header, &ORIGIN).as_slice(), [origin] if origin.eq_ignore_ascii_case(&own))
        }
        [site] => *site == b"same-origin",
        _ => false,
    }
}

fn all<'a>(header: &'a RequestHeader, name: &HeaderName) -> Vec<&'a [u8]> {
    header.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}

fn is_json(header: &RequestHeader) -> bool {
    let [kind] = all(header, &CONTENT_TYPE)[..] else { return false };
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: (&str, &str) = ("Content-Type", "application/json");

    fn told(
        draws: bool,
        method: &str,
        credential: &Credential<'_>,
        lines: &[(&'static str, &str)],
    ) -> Option<&'static str> {
        let mut header = RequestHeader::build(method, b"/", None).unwrap();
        header.insert_header("Host", "chat.example").unwrap();
        for (name, value) in lines {
            header.append_header(*name, *value).unwrap();
        }
        check(draws, &header, credential, Scheme::Https).err().map(|rejection| rejection.code().as_str())
    }

    #[test]
    fn a_write_with_the_cookie_comes_from_a_page_of_this_host() {
        for (lines, code) in [
            (&[JSON, ("Sec-Fetch-Site", "same-origin")][..], None),
            (&[JSON, ("Origin", "https://chat.example")], None),
            (&[("Content-Type", "Application/JSON; charset=utf-8"), ("Sec-Fetch-Site", "same-origin")], None),
            (&[JSON], Some("cross_site_request")),
            (&[JSON, ("Sec-Fetch-Site", "same-site")], Some("cross_site_request")),
            (&[JSON, ("Sec-Fetch-Site", "cross-site")], Some("cross_site_request")),
            (&[JSON, ("Sec-Fetch-Site", "none")], Some("cross_site_request")),
            (&[JSON, ("Sec-Fetch-Site", "Same-Origin")], Some("cross_site_request")),
            (&[JSON, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")], Some("cross_site_request")),
            // The newer header has the last word.
            (&[JSON, ("Sec-Fetch-Site", "cross-site"), ("Origin", "https://chat.example")], Some("cross_site_request")),
            (&[JSON, ("Origin", "http://chat.example")], Some("cross_site_request")),
            (&[JSON, ("Origin", "https://chat.example.evil.example")], Some("cross_site_request")),
            (&[JSON, ("Origin", "https://chat.example:444")], Some("cross_site_request")),
            (&[JSON, ("Origin", "null")], Some("cross_site_request")),
            (&[("Sec-Fetch-Site", "same-origin")], Some("unsupported_media_type")),
            (&[("Content-Type", "text/plain"), ("Sec-Fetch-Site", "same-origin")], Some("unsupported_media_type")),
            (&[JSON, JSON, ("Sec-Fetch-Site", "same-origin")], Some("unsupported_media_type")),
        ] {
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                assert_eq!(told(false, method, &Credential::Cookie("t"), lines), code, "{method} {lines:?}");
            }
            assert_eq!(told(false, "GET", &Credential::Cookie("t"), lines), None, "a read changes nothing");
            assert_eq!(told(true, "POST", &Credential::Token("t"), lines), None, "a page adds a token itself");
            assert_eq!(told(true, "POST", &Credential::Key("k"), lines), None, "no browser adds a key by itself");
            let drawn = told(true, "GET", &Credential::Cookie("t"), lines);
            assert_eq!(drawn, code.filter(|code| *code == "cross_site_request"), "a picture elsewhere draws nothing");
        }
    }
}
