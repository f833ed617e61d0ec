//! `[journal]`: what the gateway writes down of debits and refusals, and to whom it posts it. Off while no directory is set.

use std::path::PathBuf;
use std::time::Duration;

use figment::value::magic::RelativePathBuf;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::address::{self, UpstreamAddress};
use crate::error::ConfigError;
use crate::journal::SECRET_BYTES_MIN;

/// A record is some hundred bytes; a smaller file would be a file a second.
const FILE_BYTES_MIN: u64 = 4096;
/// What ledger-sync takes by default.
const POST_BYTES_MAX: usize = 1 << 20;
const POST_BYTES_MIN: usize = 16 * 1024;
const QUEUE_MAX: usize = 1_000_000;
const MS_MAX: u64 = 3_600_000;
const POST_TO_MAX: usize = 16;

/// As written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    directory: RelativePathBuf,
    file_bytes_max: u64,
    file_ms_max: u64,
    bytes_max: u64,
    queue_max: usize,
    refusals_a_second: u32,
    post_to: Vec<String>,
    secret: SecretString,
    post_bytes_max: usize,
    post_ms: u64,
    timeout_ms: u64,
}

/// A journal that passed every check of this module.
#[derive(Clone, Debug)]
pub struct JournalRules {
    pub directory: PathBuf,
    pub file_bytes_max: u64,
    pub file_age_max: Duration,
    pub bytes_max: u64,
    pub queue_max: usize,
    pub refusals_a_second: u32,
    /// Any of them takes a batch; empty = the files stay.
    pub post_to: Vec<(UpstreamAddress, String)>,
    pub secret: SecretString,
    pub post_bytes_max: usize,
    pub post_every: Duration,
    pub timeout: Duration,
}

impl Journal {
    /// `None` while it is off.
    pub fn rules(&self) -> Result<Option<JournalRules>, ConfigError> {
        if self.directory.original().as_os_str().is_empty() {
            return Ok(None);
        }
        for (key, number, least, most) in [
            ("file_bytes_max", self.file_bytes_max, FILE_BYTES_MIN, self.bytes_max),
            ("file_ms_max", self.file_ms_max, 1, MS_MAX),
            ("queue_max", self.queue_max as u64, 1, QUEUE_MAX as u64),
            ("post_bytes_max", self.post_bytes_max as u64, POST_BYTES_MIN as u64, POST_BYTES_MAX as u64),
            ("post_ms", self.post_ms, 1, MS_MAX),
            ("timeout_ms", self.timeout_ms, 1, 5_000),
            ("post_to", self.post_to.len() as u64, 0, POST_TO_MAX as u64),
        ] {
            if !(least..=most).contains(&number) {
                return Err(wrong(key, format!("must be {least} to {most}")));
            }
        }
        if !self.post_to.is_empty() && self.secret.expose_secret().len() < SECRET_BYTES_MIN {
            return Err(wrong("secret", format!("must have {SECRET_BYTES_MIN} bytes or more")));
        }
        if self.secret.expose_secret().bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(wrong("secret", "must be plain letters, digits and signs"));
        }
        let post_to = self.post_to.iter().map(|url| address::with_path(url).map_err(|what| wrong("post_to", what)));
        Ok(Some(JournalRules {
            directory: self.directory.relative(),
            file_bytes_max: self.file_bytes_max,
            file_age_max: Duration::from_millis(self.file_ms_max),
            bytes_max: self.bytes_max,
            queue_max: self.queue_max,
            refusals_a_second: self.refusals_a_second,
            post_to: post_to.collect::<Result<_, _>>()?,
            secret: self.secret.clone(),
            post_bytes_max: self.post_bytes_max,
            post_every: Duration::from_millis(self.post_ms),
            timeout: Duration::from_millis(self.timeout_ms),
        }))
    }

    /// Whether both say the same.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let numbers = |of: &Self| {
            (of.file_bytes_max, of.file_ms_max, of.bytes_max, of.queue_max, of.refusals_a_second, of.post_bytes_max)
        };
        self.directory.relative() == other.directory.relative()
            && numbers(self) == numbers(other)
            && (&self.post_to, self.post_ms, self.timeout_ms) == (&other.post_to, other.post_ms, other.timeout_ms)
            && self.secret.expose_secret() == other.secret.expose_secret()
    }
}

fn wrong(key: &str, what: impl std::fmt::Display) -> ConfigError {
    ConfigError::about_key(&format!("journal.{key}"), what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Settings;
    use crate::{Service, load};

    fn journal(name: &str, text: &str) -> Journal {
        let file = std::env::temp_dir().join(format!("{}-journal-{name}.toml", std::process::id()));
        std::fs::write(&file, format!("[journal]\n{text}")).unwrap();
        let settings: Settings = load(Service::Gateway, Some(&file)).unwrap();
        std::fs::remove_file(&file).unwrap();
        settings.journal
    }

    #[test]
    fn the_journal_is_off_until_a_directory_is_set() {
        assert!(journal("off", "").rules().unwrap().is_none());
        let secret = "s".repeat(32);
        let on = format!("directory = \"j\"\npost_to = [\"http://127.0.0.1:9101/journal\"]\nsecret = \"{secret}\"");
        let rules = journal("on", &on).rules().unwrap().unwrap();
        assert_eq!(rules.post_to[0].1, "/journal");
        assert!(!format!("{rules:?}").contains(&secret), "a secret is not shown");
    }

    #[test]
    fn what_has_no_bound_or_no_secret_is_refused() {
        for (name, wrong) in [
            ("a", "file_bytes_max = 1"),
            ("b", "bytes_max = 5000"),
            ("c", "queue_max = 0"),
            ("d", "post_bytes_max = 100"),
            ("e", "post_ms = 0"),
            ("f", "timeout_ms = 60000"),
            ("g", "post_to = [\"http://a/journal\"]"),
            ("h", "post_to = [\"http://a/journal\"]\nsecret = \"short\""),
            ("i", "post_to = [\"a/journal\"]\nsecret = \"ssssssssssssssssssssssssssssssss\""),
            ("j", "secret = \"with a blank ssssssssssssssssssssssssssssssssss\""),
        ] {
            assert!(journal(name, &format!("directory = \"j\"\n{wrong}")).rules().is_err(), "{wrong}");
        }
    }
}
