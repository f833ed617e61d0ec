//! The address of an upstream, taken from settings only and never from a request.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// `http://host:port` or `https://host:port`, without a path: the path comes from the request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamAddress {
    pub tls: bool,
    pub host: String,
    pub port: u16,
}

impl FromStr for UpstreamAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(format!("`{text}` must start with http:// or https://")),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
            return Err(format!("`{text}` must be scheme, host and port only, such as http://127.0.0.1:7070"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.contains(']') => {
                (host, port.parse().map_err(|_| format!("`{port}` in `{text}` is not a port"))?)
            }
            _ => (authority, if tls { 443 } else { 80 }),
        };
        Ok(Self { tls, host: host.trim_start_matches('[').trim_end_matches(']').to_owned(), port })
    }
}

/// A URL's address and path, of which the path may be empty.
pub(crate) fn with_path(url: &str) -> Result<(UpstreamAddress, String), String> {
    let authority_at = url.find("://").map_or(0, |at| at + 3);
    let path_at = url[authority_at..].find('/').map_or(url.len(), |at| authority_at + at);
    let (authority, path) = url.split_at(path_at);
    if path.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
        return Err("must be a plain URL".to_owned());
    }
    Ok((authority.parse()?, if path.is_empty() { "/".to_owned() } else { path.to_owned() }))
}

/// Scheme, host and port in lower case, and nothing behind, as browsers write an origin: it is compared byte by byte.
pub(crate) fn is_origin(text: &str) -> bool {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
    authority.is_some_and(|authority| !authority.is_empty() && authority.bytes().all(allowed))
}

/// Whether what is sent to a host stays on this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl<'de> Deserialize<'de> for UpstreamAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_and_port() {
        for (text, shown) in [
            ("http://127.0.0.1:7070", "http://127.0.0.1:7070"),
            ("https://api.example.com", "https://api.example.com:443"),
            ("http://chat/", "http://chat:80"),
            ("http://[::1]:9", "http://[::1]:9"),
            ("http://[::1]", "http://[::1]:80"),
        ] {
            assert_eq!(text.parse::<UpstreamAddress>().unwrap().to_string(), shown);
        }
        for text in
            ["127.0.0.1:7070", "ftp://a", "http://", "http://a/b", "http://a:99999", "http://user@a", "http://a?b"]
        {
            assert!(text.parse::<UpstreamAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for url in ["https://billing.example.org", "http://127.0.0.1:8080", "http://[::1]:80"] {
            assert!(is_origin(url), "{url}");
        }
        for url in ["https://a/", "https://", "ftp://a", "https://user@a", "https://A", "a"] {
            assert!(!is_origin(url), "{url}");
        }
    }
}
