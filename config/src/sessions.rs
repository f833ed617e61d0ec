//! `[sessions]` of the services that know people: how a browser proves its account. Off while no algorithm is set.

use std::fmt;
use std::path::PathBuf;

use figment::value::magic::RelativePathBuf;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::address::{UpstreamAddress, is_loopback, with_path};
use crate::error::ConfigError;
use crate::files::named;

/// A shorter secret can be guessed offline from a single token (RFC 7518 §3.2: as long as the hash).
const SECRET_BYTES_MIN: usize = 32;
/// More than clocks that are kept in step need.
const LEEWAY_SECONDS_MAX: u64 = 60;
/// A token stands in one header line, so it can't be longer than a header may be.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// As written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    algorithm: String,
    jwks_file: RelativePathBuf,
    jwks_url: String,
    secret: SecretString,
    issuer: String,
    audience: String,
    account_claim: String,
    roles_claim: String,
    version_claim: String,
    cookie: String,
    scheme: Scheme,
    leeway_seconds: u64,
    token_bytes_max: usize,
    entries_max: u64,
    jwks_seconds: u64,
    jwks_ms_max: u64,
    jwks_bytes_max: usize,
}

impl PartialEq for Sessions {
    fn eq(&self, other: &Self) -> bool {
        // Every field by name, so that a new one can't be forgotten.
        let Self {
            algorithm,
            jwks_file,
            jwks_url,
            secret,
            issuer,
            audience,
            account_claim,
            roles_claim,
            version_claim,
            cookie,
            scheme,
            leeway_seconds,
            token_bytes_max,
            entries_max,
            jwks_seconds,
            jwks_ms_max,
            jwks_bytes_max,
        } = self;
        (algorithm, jwks_file.relative(), jwks_url, secret.expose_secret())
            == (&other.algorithm, other.jwks_file.relative(), &other.jwks_url, other.secret.expose_secret())
            && (issuer, audience, account_claim, roles_claim, version_claim, cookie, scheme)
                == (
                    &other.issuer,
                    &other.audience,
                    &other.account_claim,
                    &other.roles_claim,
                    &other.version_claim,
                    &other.cookie,
                    &other.scheme,
                )
            && (leeway_seconds, token_bytes_max, entries_max)
                == (&other.leeway_seconds, &other.token_bytes_max, &other.entries_max)
            && (jwks_seconds, jwks_ms_max, jwks_bytes_max)
                == (&other.jwks_seconds, &other.jwks_ms_max, &other.jwks_bytes_max)
    }
}

/// Sessions that passed every check of this module.
#[derive(Clone, Debug)]
pub struct SessionRules {
    pub keys: KeySource,
    pub algorithm: Algorithm,
    pub issuer: String,
    pub audience: String,
    pub account_claim: String,
    pub roles_claim: String,
    pub version_claim: String,
    pub cookie: String,
    pub scheme: Scheme,
    pub leeway_seconds: u64,
    pub token_bytes_max: usize,
    pub entries_max: u64,
}

/// The one algorithm tokens may be signed with; what a token says about itself chooses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    EdDsa,
    Es256,
    Rs256,
    Hs256,
}

/// How browsers reach the service, whatever stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Where the keys come from, which is never a token.
#[derive(Clone, Debug)]
pub enum KeySource {
    Secret(SecretString),
    File { path: PathBuf, bytes_max: usize },
    Url(JwksUrl),
}

/// Where a key set is published, how often it is asked for, and what its answer may take.
#[derive(Clone, Debug)]
pub struct JwksUrl {
    pub address: UpstreamAddress,
    /// With the query.
    pub path: String,
    pub again_seconds: u64,
    pub ms_max: u64,
    pub bytes_max: usize,
}

impl fmt::Display for JwksUrl {
    /// Without the query, which may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.address, self.path.split('?').next().unwrap_or_default())
    }
}

impl Sessions {
    /// `None` when sessions are off.
    pub fn rules(&self) -> Result<Option<SessionRules>, ConfigError> {
        let algorithm = match self.algorithm.as_str() {
            "" => return Ok(None),
            "EdDSA" => Algorithm::EdDsa,
            "ES256" => Algorithm::Es256,
            "RS256" => Algorithm::Rs256,
            "HS256" => Algorithm::Hs256,
            _ => return Err(wrong("algorithm", "must be EdDSA, ES256, RS256 or HS256")),
        };
        for (key, text) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if text.is_empty() {
                return Err(wrong(key, "must be set: a token for somebody else must not open this gateway"));
            }
        }
        let claims = [
            ("account_claim", &self.account_claim),
            ("roles_claim", &self.roles_claim),
            ("version_claim", &self.version_claim),
        ];
        for (key, name) in claims {
            if name.is_empty() || ["exp", "nbf", "iat", "iss", "aud", "sub"].contains(&name.as_str()) {
                return Err(wrong(key, "must be the name of a claim of its own"));
            }
        }
        if !is_cookie_name(&self.cookie) {
            return Err(wrong("cookie", "must be a cookie's name: 1 to 64 letters, digits, - and _"));
        }
        for (key, number, most) in [
            ("leeway_seconds", self.leeway_seconds, LEEWAY_SECONDS_MAX),
            ("token_bytes_max", self.token_bytes_max as u64, TOKEN_BYTES_MAX as u64),
        ] {
            if number > most {
                return Err(wrong(key, format!("may be {most} at most")));
            }
        }
        Ok(Some(SessionRules {
            keys: self.key_source(algorithm)?,
            algorithm,
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            account_claim: self.account_claim.clone(),
            roles_claim: self.roles_claim.clone(),
            version_claim: self.version_claim.clone(),
            cookie: self.cookie.clone(),
            scheme: self.scheme,
            leeway_seconds: self.leeway_seconds,
            token_bytes_max: self.token_bytes_max,
            entries_max: self.entries_max,
        }))
    }

    fn key_source(&self, algorithm: Algorithm) -> Result<KeySource, ConfigError> {
        let file = named(&self.jwks_file);
        let secret = self.secret.expose_secret();
        match (algorithm, secret.is_empty(), file, self.jwks_url.as_str()) {
            (Algorithm::Hs256, false, None, "") if secret.len() < SECRET_BYTES_MIN => {
                Err(wrong("secret", format!("must have {SECRET_BYTES_MIN} bytes or more")))
            }
            (Algorithm::Hs256, false, None, "") => Ok(KeySource::Secret(self.secret.clone())),
            (Algorithm::Hs256, ..) => Err(wrong("secret", "HS256 needs `secret`, and neither JWKS file nor URL")),
            (_, true, Some(path), "") => Ok(KeySource::File { path, bytes_max: self.jwks_bytes_max }),
            (_, true, None, url) if !url.is_empty() => {
                let (address, path) = jwks_url(url).map_err(|what| wrong("jwks_url", what))?;
                Ok(KeySource::Url(JwksUrl {
                    address,
                    path,
                    again_seconds: self.jwks_seconds.max(1),
                    ms_max: self.jwks_ms_max,
                    bytes_max: self.jwks_bytes_max,
                }))
            }
            // A secret beside public keys would invite the one to be taken for the other.
            _ => Err(wrong("algorithm", "needs exactly one of `jwks_file` and `jwks_url`, and no `secret`")),
        }
    }
}

fn wrong(key: &str, what: impl std::fmt::Display) -> ConfigError {
    ConfigError::about_key(&format!("sessions.{key}"), what)
}

fn is_cookie_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

/// Keys that come over a plain network could be anybody's.
fn jwks_url(url: &str) -> Result<(UpstreamAddress, String), String> {
    let (address, path) = with_path(url)?;
    if !address.tls && !is_loopback(&address.host) {
        return Err("must be https, or http on loopback".to_owned());
    }
    Ok((address, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Service, gateway};

    fn rules(lines: &str) -> Result<Option<SessionRules>, String> {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("{}-sessions-{number}.toml", std::process::id()));
        std::fs::write(&file, format!("[sessions]\n{lines}")).unwrap();
        let settings: gateway::Settings = crate::load(Service::Gateway, Some(&file)).unwrap();
        std::fs::remove_file(&file).unwrap();
        settings.sessions.rules().map_err(|error| error.to_string())
    }

    #[test]
    fn sessions_are_off_until_an_algorithm_is_set() {
        assert!(rules("").unwrap().is_none());
    }

    #[test]
    fn one_algorithm_has_one_source_of_keys() {
        let who = "issuer = \"i\"\naudience = \"a\"\n";
        let secret = format!("secret = \"{}\"\n", "s".repeat(32));
        for (lines, good) in [
            (format!("algorithm = \"HS256\"\n{who}{secret}"), true),
            (format!("algorithm = \"RS256\"\n{who}jwks_file = \"keys.json\"\n"), true),
            (format!("algorithm = \"EdDSA\"\n{who}jwks_url = \"https://id.example/keys\"\n"), true),
            (format!("algorithm = \"ES256\"\n{who}jwks_url = \"http://127.0.0.1:9/keys\"\n"), true),
            (format!("algorithm = \"ES256\"\n{who}jwks_url = \"http://id.example/keys\"\n"), false),
            (format!("algorithm = \"ES256\"\n{who}jwks_url = \"ftp://127.0.0.1/keys\"\n"), false),
            (format!("algorithm = \"HS256\"\n{who}secret = \"{}\"\n", "s".repeat(31)), false),
            (format!("algorithm = \"HS256\"\n{who}jwks_file = \"keys.json\"\n"), false),
            (format!("algorithm = \"RS256\"\n{who}{secret}"), false),
            (format!("algorithm = \"RS256\"\n{who}{secret}jwks_file = \"keys.json\"\n"), false),
            (format!("algorithm = \"RS256\"\n{who}jwks_file = \"k\"\njwks_url = \"https://x/\"\n"), false),
            (format!("algorithm = \"RS256\"\n{who}"), false),
            (format!("algorithm = \"none\"\n{who}{secret}"), false),
            (format!("algorithm = \"HS256\"\naudience = \"a\"\n{secret}"), false),
            (format!("algorithm = \"HS256\"\nissuer = \"i\"\n{secret}"), false),
            (format!("algorithm = \"HS256\"\n{who}{secret}leeway_seconds = 61\n"), false),
            (format!("algorithm = \"HS256\"\n{who}{secret}account_claim = \"sub\"\n"), false),
            (format!("algorithm = \"HS256\"\n{who}{secret}version_claim = \"exp\"\n"), false),
            (format!("algorithm = \"HS256\"\n{who}{secret}version_claim = \"\"\n"), false),
            (format!("algorithm = \"HS256\"\n{who}{secret}cookie = \"a=b\"\n"), false),
        ] {
            let found = rules(&lines);
            assert_eq!(found.as_ref().is_ok_and(Option::is_some), good, "{lines}{found:?}");
            assert!(found.err().is_none_or(|error| !error.contains("ssss")), "{lines}");
        }
    }
}
