//! Settings of `ledger-sync`; `ledger-sync.toml` says what each means.

use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::error::ConfigError;
use crate::journal::SECRET_BYTES_MIN;
use crate::log::Log;
use crate::postgres::Postgres;
use crate::redis::Redis;

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
