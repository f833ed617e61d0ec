//! Where the keys come from, and how they are kept fresh: a secret for ever, a file as it changes, a URL now and then.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context;
use config::gateway::{Algorithm, KeySource as Source};
use secrecy::ExposeSecret;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::key_set::KeySet;
use crate::metrics::Metrics;
use crate::own_request::{Ask, Endpoint};

/// How often a file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Tokens with names of keys that nobody has must not make us a burden to who publishes keys.
const PAUSE_MIN: Duration = Duration::from_secs(10);
/// How soon a URL that did not answer is asked again.
const RETRY: Duration = Duration::from_secs(2);

/// The keys as they were read last; cheap to clone.
#[derive(Clone)]
pub struct KeySource {
    current: Arc<RwLock<Option<Arc<KeySet>>>>,
    wanted: Arc<Notify>,
    algorithm: Algorithm,
    metrics: Arc<Metrics>,
}

impl KeySource {
    /// What is there at the start: a file must be good by then, a URL is asked in the background.
    pub fn open(source: &Source, algorithm: Algorithm, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        let opened = Self { current: Arc::default(), wanted: Arc::default(), algorithm, metrics };
        match source {
            Source::Secret(secret) => opened.put(KeySet::secret(secret.expose_secret().as_bytes())),
            Source::File { path, bytes_max } => {
                opened.take(&read(path, *bytes_max)?).with_context(|| format!("the keys in {}", path.display()))?;
            }
            Source::Url { .. } => {}
        }
        Ok(opened)
    }

    /// `None` until keys have been read.
    pub fn current(&self) -> Option<Arc<KeySet>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Somebody names a key that is not known: it may be new.
    pub fn ask_soon(&self) {
        self.wanted.notify_one();
    }

    /// Keeps the keys fresh for as long as the gateway lives.
    pub async fn keep(self, source: Source) {
        match source {
            Source::Secret(_) => {}
            Source::File { path, bytes_max } => self.keep_file(path, bytes_max).await,
            Source::Url { address, path, again_seconds, ms_max, bytes_max } => {
                let url = Endpoint::new(address, path, Duration::from_millis(ms_max));
                self.keep_url(url, bytes_max, Duration::from_secs(again_seconds)).await;
            }
        }
    }

    async fn keep_file(&self, path: PathBuf, bytes_max: usize) {
        let mut known = self.current().map_or_else(Vec::new, |set| set.text.clone());
        loop {
            sleep(LOOK_EVERY).await;
            // A file that is away for a moment, or half written, changes nothing: the next look finds it.
            let Ok(text) = read(&path, bytes_max) else { continue };
            if text == known {
                continue;
            }
            let path = path.display();
            match self.take(&text) {
                Ok(()) => tracing::info!(%path, "the keys of sessions in {path} were read again"),
                Err(error) => tracing::warn!(%path, "the keys of sessions in {path} stay as they were: {error:#}"),
            }
            known = text;
        }
    }

    async fn keep_url(&self, url: Endpoint, answer_bytes_max: usize, again: Duration) {
        let mut known = Vec::new();
        loop {
            let ask = Ask {
                method: "GET",
                line: ("Accept", "application/json"),
                body: None,
                answer_bytes_max,
                too_long: "its answer is larger than sessions.jwks_bytes_max",
            };
            let fetched = url.ask(ask).await.and_then(|text| {
                if text != known {
                    self.take(&text)?;
                    known = text;
                    tracing::info!("the keys of sessions were read from {url}");
                }
                Ok(())
            });
            let Err(error) = fetched else {
                sleep(PAUSE_MIN.min(again)).await;
                let rest = again.saturating_sub(PAUSE_MIN);
                tokio::time::timeout(rest, self.wanted.notified()).await.ok();
                continue;
            };
            tracing::warn!("the keys of sessions stay as they were: {url} gave none: {error:#}");
            sleep(RETRY).await;
        }
    }

    fn take(&self, text: &[u8]) -> anyhow::Result<()> {
        let reading = self.current().map_or(1, |set| set.reading + 1);
        self.put(KeySet::parse(text, self.algorithm, reading)?);
        Ok(())
    }

    fn put(&self, set: KeySet) {
        self.metrics.sessions.keys.set(i64::try_from(set.len()).unwrap_or(i64::MAX));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
    }
}

fn read(path: &Path, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let about = || format!("sessions.jwks_file {}", path.display());
    let file = std::fs::File::open(path).with_context(about)?;
    let mut text = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut text).with_context(about)?;
    anyhow::ensure!(text.len() <= bytes_max, "{} is larger than sessions.jwks_bytes_max", about());
    Ok(text)
}
