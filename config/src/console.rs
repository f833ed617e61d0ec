//! Settings of `console`; `console.toml` says what each means.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::address::is_origin;
use crate::error::{ConfigError, at_least_one};
use crate::log::Log;
use crate::postgres::Postgres;
use crate::redis::Redis;
use crate::sessions::{Algorithm, SessionRules, Sessions};
use crate::stripe::Stripe;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    pub public_url: String,
    pub brand: Brand,
    pub postgres: Postgres,
    pub redis: Redis,
    sessions: Sessions,
    pub stripe: Stripe,
    pub limits: Limits,
    pub dev: Dev,
    pub log: Log,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    pub name: String,
    pub chat_url: String,
    pub support_url: String,
    pub sign_in_url: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub connections_max: usize,
    pub header_ms_max: u64,
    pub request_ms_max: u64,
    pub body_bytes_max: usize,
    pub live_max: usize,
    pub live_ms: u64,
    pub live_ms_max: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dev {
    pub login: bool,
}

impl Settings {
    /// The rules of sessions, once everything else is found good: without sessions nobody could see anything.
    pub fn check(&self) -> Result<SessionRules, ConfigError> {
        let limits = &self.limits;
        at_least_one(&[
            ("limits.connections_max", limits.connections_max as u64),
            ("limits.header_ms_max", limits.header_ms_max),
            ("limits.request_ms_max", limits.request_ms_max),
            ("limits.body_bytes_max", limits.body_bytes_max as u64),
            ("limits.live_ms", limits.live_ms),
            ("limits.live_ms_max", limits.live_ms_max),
            ("postgres.connections_max", u64::from(self.postgres.connections_max)),
        ])?;
        if !is_origin(&self.public_url) {
            return Err(ConfigError::about_key("public_url", "is http:// or https://, a host and maybe a port"));
        }
        for (key, link) in [
            ("brand.chat_url", &self.brand.chat_url),
            ("brand.support_url", &self.brand.support_url),
            ("brand.sign_in_url", &self.brand.sign_in_url),
        ] {
            if !is_link(link) {
                return Err(ConfigError::about_key(key, "is a path, an http(s) URL or mailto:…"));
            }
        }
        if self.brand.name.is_empty() || self.brand.name.len() > 80 {
            return Err(ConfigError::about_key("brand.name", "has 1 to 80 letters"));
        }
        let off = || ConfigError::about_key("sessions.algorithm", "must be set: nobody could sign in");
        let rules = self.sessions.rules()?.ok_or_else(off)?;
        if self.dev.login && !(self.listen.ip().is_loopback() && rules.algorithm == Algorithm::Hs256) {
            let why = "only where `listen` is on loopback and sessions are signed with HS256: it lets in anybody";
            return Err(ConfigError::about_key("dev.login", why));
        }
        Ok(rules)
    }
}

/// What a page may link to. Whoever could have `javascript:` stand there would act as everybody.
fn is_link(link: &str) -> bool {
    let known = ["https://", "http://", "mailto:"].iter().any(|start| link.starts_with(start));
    let path = link.starts_with('/') && !link.starts_with("//");
    link.is_empty() || ((known || path) && link.len() <= 2_000 && link.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_pages_and_mailboxes_only() {
        for link in ["", "/", "/chat?x=1", "https://help.example/a", "http://127.0.0.1:1", "mailto:help@example.org"] {
            assert!(is_link(link), "{link}");
        }
        for link in ["javascript:alert(1)", "//evil.example", "https://a b", "chat", "data:text/html,x", "/a\nb"] {
            assert!(!is_link(link), "{link}");
        }
    }
}
