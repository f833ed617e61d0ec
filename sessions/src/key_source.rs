//! Where the keys come from, and how they are kept fresh: a secret for ever, a file as it changes, a URL now and then.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context;
use config::sessions::{Algorithm, JwksUrl, KeySource as Source};
use secrecy::ExposeSecret;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::key_set::KeySet;
use crate::watch::Watch;

/// How often a file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Tokens with names of keys that nobody has must not make us a burden to who publishes keys.
const PAUSE_MIN: Duration = Duration::from_secs(10);
/// How soon a URL that did not answer is asked again.
const RETRY: Duration = Duration::from_secs(2);

/// How a service asks for a key set, with its own client: GET, no redirect followed, within the time and the size that the settings set.
pub trait Fetch: Send + Sync {
    /// The body of an answer with status 200.
    fn fetch(&self) -> impl Future<Output = anyhow::Result<Vec<u8>>> + Send;
}

/// The keys as they were read last; cheap to clone.
#[derive(Clone)]
pub struct KeySource {
    current: Arc<RwLock<Option<Arc<KeySet>>>>,
    wanted: Arc<Notify>,
    algorithm: Algorithm,
    watch: Arc<dyn Watch>,
}

impl KeySource {
    /// What is there at the start: a file must be good by then, a URL is asked in the background.
    pub fn open(source: &Source, algorithm: Algorithm, watch: Arc<dyn Watch>) -> anyhow::Result<Self> {
        let opened = Self { current: Arc::default(), wanted: Arc::default(), algorithm, watch };
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
    pub(crate) fn current(&self) -> Option<Arc<KeySet>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Somebody names a key that is not known: it may be new.
    pub(crate) fn ask_soon(&self) {
        self.wanted.notify_one();
    }

    /// Keeps the keys fresh for as long as the service lives. `open` is asked once, where the keys come from a URL.
    pub async fn keep<F: Fetch>(self, source: Source, open: impl FnOnce(&JwksUrl) -> F) {
        match source {
            Source::Secret(_) => {}
            Source::File { path, bytes_max } => self.keep_file(path, bytes_max).await,
            Source::Url(url) => self.keep_url(&url, open(&url)).await,
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
                Err(error) => {
                    tracing::warn!(%path, "the keys of sessions in {path} stay as they were: {error:#}");
                }
            }
            known = text;
        }
    }

    async fn keep_url(&self, url: &JwksUrl, publisher: impl Fetch) {
        let (mut known, again) = (Vec::new(), Duration::from_secs(url.again_seconds));
        loop {
            let fetched = publisher.fetch().await.and_then(|text| {
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
        self.watch.keys_read(set.len());
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
