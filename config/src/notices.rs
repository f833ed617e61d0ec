//! Settings of `notices`; `notices.toml` says what each means.

mod smtp;

use std::net::SocketAddr;

use serde::Deserialize;

use crate::error::{ConfigError, at_least_one};
use crate::log::Log;
use crate::postgres::Postgres;

pub use smtp::{Smtp, Tls};

/// Longer names do not fit into a subject.
const BRAND_CHARS_MAX: usize = 40;
const URL_BYTES_MAX: usize = 500;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub admin_listen: SocketAddr,
    pub postgres: Postgres,
    pub notices: Notices,
    pub letter: Letter,
    pub smtp: Smtp,
    pub worker: Worker,
    pub log: Log,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    pub low_balance: bool,
    pub lifecycle: bool,
    pub per_hour_max: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    pub brand: String,
    pub public_url: String,
    pub support_url: String,
    pub from: String,
    pub reply_to: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub concurrency: u32,
    pub interval_ms: u64,
    pub lease_ms: u64,
    pub pause_ms_max: u64,
    pub attempts_max: u32,
}

impl Settings {
    /// Refuses what would send nothing, or send it without an end.
    pub fn check(&self) -> Result<(), ConfigError> {
        let worker = &self.worker;
        at_least_one(&[
            ("postgres.connections_max", u64::from(self.postgres.connections_max)),
            ("notices.per_hour_max", u64::from(self.notices.per_hour_max)),
            ("smtp.port", u64::from(self.smtp.port)),
            ("smtp.dialogue_ms_max", self.smtp.dialogue_ms_max),
            ("smtp.handover_ms_max", self.smtp.handover_ms_max),
            ("worker.concurrency", u64::from(worker.concurrency)),
            ("worker.interval_ms", worker.interval_ms),
            ("worker.pause_ms_max", worker.pause_ms_max),
            ("worker.attempts_max", u64::from(worker.attempts_max)),
        ])?;
        if worker.lease_ms <= self.smtp.dialogue_ms_max {
            return Err(ConfigError::about_key("worker.lease_ms", "must be more than smtp.dialogue_ms_max"));
        }
        self.letter.check()?;
        self.smtp.check()
    }
}

impl Letter {
    /// What goes into every mail; whether `from` and `reply_to` are addresses is the service's to say.
    fn check(&self) -> Result<(), ConfigError> {
        let brand_is_good =
            (1..=BRAND_CHARS_MAX).contains(&self.brand.chars().count()) && !self.brand.chars().any(char::is_control);
        if !brand_is_good {
            let why = format!("has 1 to {BRAND_CHARS_MAX} letters");
            return Err(ConfigError::about_key("letter.brand", why));
        }
        if !is_url(&self.public_url, &["https://", "http://"]) || self.public_url.contains(['?', '#']) {
            return Err(ConfigError::about_key("letter.public_url", "is http:// or https:// and a host"));
        }
        if !self.support_url.is_empty() && !is_url(&self.support_url, &["https://", "http://", "mailto:"]) {
            return Err(ConfigError::about_key("letter.support_url", "is an http(s) URL or mailto:…, or empty"));
        }
        Ok(())
    }
}

fn is_url(url: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
    let letters = |byte: u8| byte.is_ascii_graphic() && !b"<>\"'`\\".contains(&byte);
    url.len() <= URL_BYTES_MAX && rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(letters))
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    fn read(changes: &str) -> Result<Settings, String> {
        let layers = Figment::from(Toml::string(crate::Service::Notices.defaults())).merge(Toml::string(changes));
        let settings: Settings = layers.extract().map_err(|error| error.to_string())?;
        settings.check().map_err(|error| error.to_string())?;
        Ok(settings)
    }

    fn refused(changes: &str) -> String {
        read(changes).expect_err(changes)
    }

    #[test]
    fn nothing_works_without_an_end_or_with_none_at_all() {
        for key in ["worker.concurrency", "worker.attempts_max", "smtp.handover_ms_max", "notices.per_hour_max"] {
            let (section, name) = key.split_once('.').unwrap();
            assert!(refused(&format!("[{section}]\n{name} = 0\n")).contains(key));
        }
        let short = refused("[worker]\nlease_ms = 60000\n");
        assert!(short.contains("worker.lease_ms") && short.contains("more than smtp.dialogue_ms_max"), "{short}");
    }

    #[test]
    fn what_stands_in_every_mail_is_checked_before_the_first() {
        for (key, bad) in [
            ("brand", ""),
            ("brand", "a\\nb"),
            ("brand", "a brand with a name that nobody can remember"),
            ("public_url", "tollgate.example"),
            ("public_url", "javascript:alert(1)"),
            ("public_url", "https://a.example/?x"),
            ("public_url", "https://a.example/\\\""),
            ("support_url", "/support"),
            ("support_url", "https://a.example/ b"),
        ] {
            let error = refused(&format!("[letter]\n{key} = \"{bad}\"\n"));
            assert!(error.contains(&format!("letter.{key}")), "{key} = {bad}: {error}");
        }
        let good = "[letter]\nbrand = \"Mühlen-Tollgate\"\npublic_url = \"https://a.example\"\nsupport_url = \"mailto:help@a.example\"\n";
        assert!(read(good).is_ok());
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(refused("[smtp]\nhelo = \"x\"\n").contains("helo"));
    }
}
