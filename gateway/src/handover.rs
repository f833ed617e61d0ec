//! A new gateway takes the place of the one that runs, and no request is lost.
//!
//! The new one asks over a Unix socket, gets the listening sockets, starts, and says when it can serve. Only then does the old one
//! stop to accept, and drain. A new one that never gets that far changes nothing.

mod message;

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::Notify;

use crate::sockets::Kept;
use crate::watch::Health;
use message::{await_ready, receive, refuse_strangers, say_ready, send};

/// How long the other side may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What the gateway that runs has handed over.
pub struct Taken {
    pub sockets: Vec<(SocketAddr, OwnedFd)>,
    /// Waits to hear that this process is ready.
    pub before: UnixStream,
}

/// Asks the gateway that runs; `None` when there is none.
pub fn take(path: &Path) -> anyhow::Result<Option<Taken>> {
    let about = || format!("upgrade.socket {}", path.display());
    let Ok(before) = UnixStream::connect(path) else { return Ok(None) };
    before.set_read_timeout(Some(ANSWER_MAX)).with_context(about)?;
    refuse_strangers(&before).with_context(about)?;
    let sockets = receive(&before).with_context(about)?;
    tracing::info!("{} sockets are taken over from the gateway that runs", sockets.len());
    Ok(Some(Taken { sockets, before }))
}

impl Taken {
    /// Once this process can serve, it is the one to be asked, and the one before may stop.
    pub async fn step_in(before: UnixStream, next: Handover, health: &Health) -> anyhow::Result<()> {
        let mut waited = Duration::ZERO;
        while !health.problems().is_empty() {
            if waited >= next.ready_max {
                bail!("not ready within {} ms: {}", next.ready_max.as_millis(), health.problems().join(", "));
            }
            tokio::time::sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        }
        next.start()?;
        if let Err(error) = say_ready(&before) {
            tracing::warn!(%error, "the gateway before is gone already");
        }
        Ok(())
    }
}

/// Stands ready to hand the sockets over.
#[derive(Clone)]
pub struct Handover {
    pub path: PathBuf,
    pub sockets: Kept,
    /// How long a new process may take until it is ready.
    pub ready_max: Duration,
    /// Told once another process serves.
    pub stop: Arc<Notify>,
}

impl Handover {
    /// Takes the path, from whoever had it, in one step; and serves it on a thread of its own.
    pub fn start(self) -> anyhow::Result<()> {
        let fresh = self.path.with_extension(format!("{}.new", std::process::id()));
        let listener = UnixListener::bind(&fresh)
            .and_then(|listener| std::fs::set_permissions(&fresh, Permissions::from_mode(0o600)).map(|()| listener))
            .and_then(|listener| std::fs::rename(&fresh, &self.path).map(|()| listener))
            .with_context(|| format!("upgrade.socket {}", self.path.display()))?;
        thread::Builder::new()
            .name("handover".into())
            .spawn(move || {
                for asking in listener.incoming() {
                    match asking.context("no connection").and_then(|asking| self.hand_over(&asking)) {
                        Ok(()) => {
                            tracing::info!("another gateway serves now: this one drains and stops");
                            self.stop.notify_one();
                            return;
                        }
                        Err(error) => {
                            tracing::warn!("the sockets were not handed over, and all stays as it is: {error:#}");
                        }
                    }
                }
            })
            .context("no thread")?;
        Ok(())
    }

    fn hand_over(&self, asking: &UnixStream) -> anyhow::Result<()> {
        refuse_strangers(asking)?;
        asking.set_write_timeout(Some(ANSWER_MAX))?;
        self.sockets.with(|sockets| send(asking, sockets)).context("this gateway stops already")??;
        // It counts for itself, and from later on: whoever gives up must be the new one.
        asking.set_read_timeout(Some(self.ready_max + 2 * ANSWER_MAX))?;
        if !await_ready(asking)? {
            bail!("the new gateway went away before it was ready");
        }
        Ok(())
    }
}
