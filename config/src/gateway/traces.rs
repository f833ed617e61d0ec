//! `[traces]`: spans of sampled requests, sent to a collector. Off while no endpoint is set.

use std::time::Duration;

use serde::Deserialize;

use crate::address::{self, UpstreamAddress};
use crate::error::ConfigError;

/// The whole of what `sampled_per_10_000` counts in.
const WHOLE: u32 = 10_000;
/// More would hold memory for minutes of a collector that is away.
const QUEUE_MAX: usize = 100_000;
const TIMEOUT_MS_MAX: u64 = 60_000;

/// As written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    endpoint: String,
    sampled_per_10_000: u32,
    callers_decide: bool,
    queue_max: usize,
    batch_max: usize,
    interval_ms: u64,
    timeout_ms: u64,
}

/// Traces that passed every check of this module.
#[derive(Clone, Debug)]
pub struct TraceRules {
    pub address: UpstreamAddress,
    pub path: String,
    pub sampled_per_10_000: u32,
    pub callers_decide: bool,
    pub queue_max: usize,
    pub batch_max: usize,
    pub interval: Duration,
    pub timeout: Duration,
}

impl Traces {
    /// `None` when traces are off.
    pub fn rules(&self) -> Result<Option<TraceRules>, ConfigError> {
        if self.endpoint.is_empty() {
            return Ok(None);
        }
        let (address, path) = address::with_path(&self.endpoint).map_err(|what| wrong("endpoint", what))?;
        for (key, number, least, most) in [
            ("sampled_per_10_000", u64::from(self.sampled_per_10_000), 0, u64::from(WHOLE)),
            ("queue_max", self.queue_max as u64, 1, QUEUE_MAX as u64),
            ("batch_max", self.batch_max as u64, 1, QUEUE_MAX as u64),
            ("interval_ms", self.interval_ms, 1, TIMEOUT_MS_MAX),
            ("timeout_ms", self.timeout_ms, 1, TIMEOUT_MS_MAX),
        ] {
            if !(least..=most).contains(&number) {
                return Err(wrong(key, format!("must be {least} to {most}")));
            }
        }
        Ok(Some(TraceRules {
            address,
            path,
            sampled_per_10_000: self.sampled_per_10_000,
            callers_decide: self.callers_decide,
            queue_max: self.queue_max,
            batch_max: self.batch_max,
            interval: Duration::from_millis(self.interval_ms),
            timeout: Duration::from_millis(self.timeout_ms),
        }))
    }
}

fn wrong(key: &str, what: impl std::fmt::Display) -> ConfigError {
    ConfigError::about_key(&format!("traces.{key}"), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(endpoint: &str) -> Traces {
        Traces {
            endpoint: endpoint.to_owned(),
            sampled_per_10_000: 100,
            callers_decide: false,
            queue_max: 4096,
            batch_max: 512,
            interval_ms: 1_000,
            timeout_ms: 5_000,
        }
    }

    #[test]
    fn traces_are_off_until_an_endpoint_is_set() {
        assert!(traces("").rules().unwrap().is_none());
        let rules = traces("http://collector:4318/v1/traces").rules().unwrap().unwrap();
        assert_eq!((rules.address.to_string().as_str(), rules.path.as_str()), ("http://collector:4318", "/v1/traces"));
    }

    #[test]
    fn what_has_no_bound_is_refused() {
        let good = || traces("https://collector/v1/traces");
        for wrong in [
            traces("collector:4318"),
            traces("http://key@collector/v1/traces"),
            traces("http://collector/v1 traces"),
            Traces { sampled_per_10_000: 10_001, ..good() },
            Traces { queue_max: 0, ..good() },
            Traces { queue_max: 100_001, ..good() },
            Traces { batch_max: 0, ..good() },
            Traces { interval_ms: 0, ..good() },
            Traces { timeout_ms: 0, ..good() },
            Traces { timeout_ms: 60_001, ..good() },
        ] {
            assert!(wrong.rules().is_err(), "{wrong:?}");
        }
    }
}
