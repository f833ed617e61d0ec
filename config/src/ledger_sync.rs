//! Settings of `ledger-sync`; `ledger-sync.toml` says what each means.

use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::error::{ConfigError, at_least_one};
use crate::journal::SECRET_BYTES_MIN;
use crate::log::Log;
use crate::postgres::Postgres;
use crate::redis::Redis;

/// With this part of what was granted, or less, a balance is low; as the book has it.
const LOW_PERCENT: u32 = 20;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub admin_listen: SocketAddr,
    pub redis: Redis,
    pub postgres: Postgres,
    pub shards: Shards,
    pub drain: Drain,
    pub exposure: Exposure,
    pub lease: Lease,
    pub sweep: Sweep,
    pub journal: Journal,
    pub usage: Usage,
    pub notices: Notices,
    pub log: Log,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shards {
    pub count: u16,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    pub batch_events: u32,
    pub interval_ms: u64,
    pub busy_interval_ms: u64,
    pub retention_ms: u64,
    pub retention_events: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    pub events: u64,
    pub credits: u64,
    pub age_ms: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    pub duration_ms: u64,
    pub heartbeat_ms: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    pub grace_ms: u64,
    pub interval_ms: u64,
    pub hold_grace_ms: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    secret: SecretString,
    pub body_bytes_max: usize,
    pub return_grace_ms: u64,
    pub refusals_days: u32,
}

impl Journal {
    /// What gateways must say to be believed; `None` = no journal is taken.
    pub fn secret(&self) -> Result<Option<&SecretString>, ConfigError> {
        match self.secret.expose_secret().len() {
            0 => Ok(None),
            SECRET_BYTES_MIN.. => Ok(Some(&self.secret)),
            _ => {
                let why = format!("must have {SECRET_BYTES_MIN} bytes or more, or none");
                Err(ConfigError::about_key("journal.secret", why))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    pub interval_ms: u64,
    pub batch_entries: u32,
    pub look_ms: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    rearm: bool,
    rearm_above_percent: u32,
    rearm_pause_days: u32,
}

/// When an account that was told once that it has little left may be told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rearm {
    pub above_percent: u32,
    pub pause_days: u32,
}

impl Notices {
    /// `None` = never.
    #[must_use]
    pub fn rearm(&self) -> Option<Rearm> {
        let rearm = Rearm { above_percent: self.rearm_above_percent, pause_days: self.rearm_pause_days };
        self.rearm.then_some(rearm)
    }
}

impl Settings {
    /// Refuses values with which nothing would be counted, or without a pause, or the same be told again and again.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.journal.secret()?;
        let usage = &self.usage;
        at_least_one(&[
            ("usage.interval_ms", usage.interval_ms),
            ("usage.batch_entries", u64::from(usage.batch_entries)),
            ("usage.look_ms", usage.look_ms),
        ])?;
        // Nearer to the threshold a balance that hovers around it would be told each time.
        if (LOW_PERCENT + 1..=100).contains(&self.notices.rearm_above_percent) {
            Ok(())
        } else {
            let why = format!("must be above the threshold, which is {LOW_PERCENT}, and at most 100");
            Err(ConfigError::about_key("notices.rearm_above_percent", why))
        }
    }
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    fn read(changes: &str) -> Result<Settings, String> {
        let layers = Figment::from(Toml::string(crate::Service::LedgerSync.defaults())).merge(Toml::string(changes));
        let settings: Settings = layers.extract().map_err(|error| error.to_string())?;
        settings.check().map_err(|error| error.to_string())?;
        Ok(settings)
    }

    #[test]
    fn nothing_is_counted_without_a_pause_or_in_pieces_of_nothing() {
        for key in ["interval_ms", "batch_entries", "look_ms"] {
            let refused = read(&format!("[usage]\n{key} = 0\n")).unwrap_err();
            assert!(refused.contains(&format!("usage.{key}")), "{refused}");
        }
    }

    #[test]
    fn an_account_is_told_once_unless_somebody_says_otherwise_and_never_around_the_threshold() {
        assert_eq!(read("").unwrap().notices.rearm(), None);
        let allowed = read("[notices]\nrearm = true\nrearm_above_percent = 21\nrearm_pause_days = 0\n").unwrap();
        assert_eq!(allowed.notices.rearm(), Some(Rearm { above_percent: 21, pause_days: 0 }));
        for percent in [0, 20, 101] {
            let refused = read(&format!("[notices]\nrearm_above_percent = {percent}\n")).unwrap_err();
            assert!(refused.contains("notices.rearm_above_percent"), "{refused}");
        }
    }
}
