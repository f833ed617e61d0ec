//! Settings of `webhook`; `webhook.toml` says what each means.

use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::error::{ConfigError, at_least_one};
use crate::log::Log;
use crate::postgres::Postgres;
use crate::stripe::{Secrets, Stripe};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    pub postgres: Postgres,
    pub limits: Limits,
    pub worker: Worker,
    pub reconcile: Reconcile,
    pub stripe: Stripe,
    pub mail: Mail,
    pub log: Log,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub connections_max: usize,
    pub header_ms_max: u64,
    pub body_ms_max: u64,
    pub body_bytes_max: usize,
    pub in_flight_max: usize,
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

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    pub interval_ms: u64,
    pub overlap_ms: u64,
    pub repair: bool,
}

/// Evidence of mail providers; off without a secret and without a password.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    #[serde(default)]
    signing_secrets: Secrets,
    password: SecretString,
    pub sns_topic: String,
}

impl Mail {
    /// What a delivery may be signed with; judged by whoever takes deliveries.
    #[must_use]
    pub fn signing_secrets(&self) -> Vec<SecretString> {
        self.signing_secrets.clone().list()
    }

    /// What senders prove themselves by who can't sign; `None` = nobody does.
    #[must_use]
    pub fn password(&self) -> Option<&SecretString> {
        Some(&self.password).filter(|password| !password.expose_secret().is_empty())
    }
}

impl Settings {
    /// A limit of 0 would let nobody in, or look without a pause.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (limits, worker) = (&self.limits, &self.worker);
        at_least_one(&[
            ("limits.connections_max", limits.connections_max as u64),
            ("limits.header_ms_max", limits.header_ms_max),
            ("limits.body_ms_max", limits.body_ms_max),
            ("limits.body_bytes_max", limits.body_bytes_max as u64),
            ("limits.in_flight_max", limits.in_flight_max as u64),
            ("postgres.connections_max", u64::from(self.postgres.connections_max)),
            ("worker.concurrency", u64::from(worker.concurrency)),
            ("worker.interval_ms", worker.interval_ms),
            ("worker.lease_ms", worker.lease_ms),
            ("worker.pause_ms_max", worker.pause_ms_max),
            ("worker.attempts_max", u64::from(worker.attempts_max)),
        ])
    }
}
