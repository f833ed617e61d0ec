//! Posts the journal to ledger-sync, batch by batch, in the order it was written: its own, then what runs before this one have left.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use config::gateway::JournalRules;
use metering::journal::{Head, write_frame};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::Shared;
use super::batch::{Piece, Place, next_piece};
use super::files::{Files, Left};
use crate::own_request::{Ask, Endpoint};

/// The longest pause while no ledger-sync takes anything.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// The pause at a stop, when there is little time.
const END_PAUSE: Duration = Duration::from_millis(100);
/// More than ledger-sync has to say.
const ANSWER_BYTES_MAX: usize = 4096;

pub struct Poster {
    files: Files,
    shared: Arc<Shared>,
    endpoints: Vec<Endpoint>,
    /// The one that took the last batch.
    good: usize,
    authorization: SecretString,
    bytes_max: usize,
    every: Duration,
    own: Place,
    /// A run before this one, and how far it is posted.
    left: Option<(Left, Place)>,
    failed: bool,
}

impl Poster {
    pub fn new(files: Files, rules: JournalRules, shared: Arc<Shared>) -> Self {
        let endpoint = |(address, path)| Endpoint::new(address, path, rules.timeout);
        Self {
            files,
            shared,
            endpoints: rules.post_to.into_iter().map(endpoint).collect(),
            good: 0,
            authorization: format!("Bearer {}", rules.secret.expose_secret()).into(),
            bytes_max: rules.post_bytes_max,
            every: rules.post_every,
            own: Place::BEGIN,
            left: None,
            failed: false,
        }
    }

    /// Until it is asked for the end.
    pub async fn work(mut self, mut ends: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut pause = self.every;
        loop {
            let end = tokio::select! {
                end = ends.recv() => end,
                () = tokio::time::sleep(pause) => None,
            };
            if let Some(done) = end {
                // For as long as whoever asks has patience.
                while self.post_own(true).await.is_err() {
                    tokio::time::sleep(END_PAUSE).await;
                }
                done.send(()).ok();
                return;
            }
            let posted = self.post_all().await;
            pause = if posted.is_ok() { self.every } else { (pause * 2).min(PAUSE_MAX.max(self.every)) };
            self.said(&posted);
        }
    }

    async fn post_all(&mut self) -> anyhow::Result<()> {
        self.post_own(false).await?;
        while self.post_left().await? {}
        Ok(())
    }

    /// `ended`: nothing will be written any more.
    async fn post_own(&mut self, ended: bool) -> anyhow::Result<()> {
        let progress = self.shared.progress();
        let (run, name) = (self.files.run, self.files.name.clone());
        while let Some(piece) = self.read(run, self.own, Some(progress.file)).await? {
            self.post(run, &name, piece.at, Some(&piece), None, false).await?;
            self.own = piece.then;
        }
        self.post(run, &name, self.own, None, Some(progress.whole_until.elapsed()), ended).await
    }

    /// A run that is over, if there is one.
    async fn post_left(&mut self) -> anyhow::Result<bool> {
        if self.left.is_none() {
            let files = self.files.clone();
            self.left = blocking(move || files.take_left()).await?.map(|left| (left, Place::BEGIN));
        }
        let Some((left, place)) = &self.left else { return Ok(false) };
        let (run, name, mut place) = (left.run, left.name.clone(), *place);
        while let Some(piece) = self.read(run, place, None).await? {
            self.post(run, &name, piece.at, Some(&piece), None, false).await?;
            place = piece.then;
            self.left.iter_mut().for_each(|(_, known)| *known = place);
        }
        self.post(run, &name, place, None, Some(Duration::ZERO), true).await?;
        config::failpoint("journal.left_posted");
        if let Some((left, _)) = self.left.take() {
            blocking(move || left.forget()).await?;
        }
        Ok(true)
    }

    async fn read(&self, run: Uuid, place: Place, open: Option<u64>) -> anyhow::Result<Option<Piece>> {
        let (files, most) = (self.files.clone(), self.bytes_max);
        blocking(move || next_piece(&files, run, place, open, most)).await
    }

    async fn post(
        &mut self,
        run: Uuid,
        name: &str,
        at: Place,
        piece: Option<&Piece>,
        whole_until: Option<Duration>,
        ended: bool,
    ) -> anyhow::Result<()> {
        let Place { file, position } = at;
        let whole_until_ms_ago = whole_until.map(|ago| u64::try_from(ago.as_millis()).unwrap_or(u64::MAX));
        let head = Head { run, name: name.to_owned(), file, position, whole_until_ms_ago, ended };
        let mut body = Vec::new();
        write_frame(&head, &mut body)?;
        body.extend_from_slice(piece.map_or(&[], |piece| &piece.bytes));
        let body = Bytes::from(body);
        let mut failed = None;
        for turn in 0..self.endpoints.len() {
            let place = (self.good + turn) % self.endpoints.len();
            let ask = Ask {
                method: "POST",
                line: ("Authorization", self.authorization.expose_secret()),
                body: Some(body.clone()),
                answer_bytes_max: ANSWER_BYTES_MAX,
                too_long: "its answer is too long",
            };
            match self.endpoints[place].ask(ask).await {
                Ok(_) => {
                    config::failpoint("journal.posted");
                    self.good = place;
                    self.shared.metrics.journal.posted.inc_by(body.len() as u64);
                    return Ok(());
                }
                Err(error) => failed = Some(error.context(format!("ledger-sync at {}", self.endpoints[place]))),
            }
        }
        self.shared.metrics.journal.posts_failed.inc();
        Err(failed.unwrap_or_else(|| anyhow::anyhow!("there is nobody to post to")))
    }

    /// Said once, not with every batch; the metric goes on counting.
    fn said(&mut self, posted: &anyhow::Result<()>) {
        match posted {
            Ok(()) if std::mem::take(&mut self.failed) => tracing::info!("the journal is posted again"),
            Err(error) if !std::mem::replace(&mut self.failed, true) => {
                tracing::warn!("the journal can't be posted, its files stay until it can: {error:#}");
            }
            _ => {}
        }
    }
}

/// Files of a slow disk hold nothing else up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> anyhow::Result<T> {
    let done = tokio::task::spawn_blocking(work).await.context("the reader of the journal failed")?;
    Ok(done?)
}
