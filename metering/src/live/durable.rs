//! Waiting until a debit is on the disk of its Redis, for who must not lose one.
//!
//! What a connection has written is waited for by `WAITAOF` on that connection, which stands still meanwhile; so this has connections of its own,
//! one a shard, and all who wait at the same time wait together: for a script that runs behind their debits, under the same certification.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use redis::{Pipeline, RedisError, Value, cmd};
use thiserror::Error;

use super::commands::{evalsha, fenced};
use super::fences::Known;
use super::nodes::Nodes;
use super::replies::Reply;
use super::scripts::Script;
use super::{MeterError, Place};
use crate::Shard;

/// Why a debit is not known to be on disk. It may still be, or come to be: give it back.
#[derive(Debug, Clone, Error)]
pub enum NotDurable {
    /// Redis has no `WAITAOF` (7.2 has), and its `appendfsync` is not `always`.
    #[error("redis can't say what is on its disk: it has no WAITAOF, and its appendfsync is not always")]
    Unsupported,
    /// The disk has not written it in time.
    #[error("redis has not written it to its disk in time")]
    Late,
    /// The shard was certified anew since, or Redis does not answer.
    #[error("redis did not answer under the certification of the debit")]
    Unanswered(#[source] MeterError),
}

/// The certification under which something is about to be drawn.
#[derive(Debug, Clone)]
pub struct Certificate(pub(super) Arc<Known>);

impl Certificate {
    fn shard(&self) -> Shard {
        self.0.fence.shard
    }
}

type Round = Shared<BoxFuture<'static, Result<(), NotDurable>>>;

/// Those who wait, by shard.
pub(super) struct Waits {
    place: Place,
    shards: Mutex<HashMap<Shard, Queue>>,
}

struct Queue {
    nodes: Arc<Nodes>,
    /// Whether the connection did not answer at all.
    silent: Arc<AtomicBool>,
    /// The last round that was begun or is to begin.
    last: Option<Joinable>,
}

struct Joinable {
    round: Round,
    certification: u64,
    /// From then on it can't take anybody along.
    sent: Arc<AtomicBool>,
}

impl Waits {
    pub(super) fn new(place: Place) -> Self {
        Self { place, shards: Mutex::default() }
    }

    /// Waits until all that was written under this certification before this call is on disk.
    pub(super) async fn until_durable(&self, under: &Certificate, wait_max: Duration) -> Result<(), NotDurable> {
        if under.0.always_durable {
            return Ok(());
        }
        let round =
            self.join(under, wait_max).map_err(|error| NotDurable::Unanswered(MeterError::Unavailable(error)))?;
        match tokio::time::timeout(wait_max, round).await {
            Ok(outcome) => outcome,
            Err(_) => Err(NotDurable::Late),
        }
    }

    /// A round that is not sent yet takes everybody along; else the next one, which is sent when the one before is over.
    fn join(&self, under: &Certificate, wait_max: Duration) -> Result<Round, RedisError> {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = match shards.entry(under.shard()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Queue {
                nodes: Arc::new(Nodes::new(self.place.clone())?),
                silent: Arc::default(),
                last: None,
            }),
        };
        if queue.silent.swap(false, Ordering::SeqCst) {
            // A peer that is gone without a word: over this connection nothing would be answered for as long as TCP waits.
            queue.nodes = Arc::new(Nodes::new(self.place.clone())?);
        }
        let certification = under.0.fence.certification;
        if let Some(last) = &queue.last
            && last.certification == certification
            && !last.sent.load(Ordering::SeqCst)
        {
            return Ok(last.round.clone());
        }
        let before = queue.last.take().map(|last| last.round);
        let (sent, nodes, known) = (Arc::new(AtomicBool::new(false)), Arc::clone(&queue.nodes), Arc::clone(&under.0));
        let (mark, silent) = (Arc::clone(&sent), Arc::clone(&queue.silent));
        let round = async move {
            if let Some(before) = before {
                let _ = before.await; // its outcome is for those who waited for it
            }
            mark.store(true, Ordering::SeqCst);
            let answered = tokio::time::timeout(wait_max.saturating_mul(2), ask(&nodes, &known, wait_max)).await;
            answered.unwrap_or_else(|_| {
                silent.store(true, Ordering::SeqCst);
                Err(NotDurable::Late)
            })
        };
        let round = round.boxed().shared();
        queue.last = Some(Joinable { round: round.clone(), certification, sent });
        Ok(round)
    }
}

/// The script and `WAITAOF` in one piece, so that no other connection comes in between.
async fn ask(nodes: &Nodes, known: &Known, wait_max: Duration) -> Result<(), NotDurable> {
    let mut written = evalsha(known, Script::Written, 1);
    written.arg(known.fence.meta());
    let wait_ms = u64::try_from(wait_max.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut waiting = cmd("WAITAOF");
    waiting.arg(1).arg(0).arg(wait_ms);
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.add_command(fenced(written, &known.fence)).add_command(waiting).ignore_errors();
    let mut connection = nodes.of(known.fence.shard.into());
    let unanswered = |error: RedisError| NotDurable::Unanswered(MeterError::from_redis(error));
    let answers: Vec<Value> = pipeline.query_async(&mut connection).await.map_err(unanswered)?;
    let mut answers = answers.into_iter();
    let (Some(written), Some(waited)) = (answers.next(), answers.next()) else {
        return Err(NotDurable::Unanswered(super::replies::odd("two answers")));
    };
    if let Err(error) = Reply::open(written) {
        // The next round goes to the node that holds the slot now.
        nodes.again(&error, &mut super::nodes::Tries::begin()).await.map_err(NotDurable::Unanswered)?;
        return Err(NotDurable::Unanswered(error));
    }
    match redis::from_redis_value::<(u64, u64)>(waited) {
        Ok((0, _)) => Err(NotDurable::Late),
        Ok(_) => Ok(()),
        Err(_) => Err(NotDurable::Unsupported),
    }
}
