//! The journal: what this gateway drew, gave back and refused, written beside Redis and posted to ledger-sync. Where Redis loses its
//! tail, this says exactly what went with it.
//!
//! A request pays for one `try_send` into a bounded queue; a thread writes, a task posts. Off, all of it is one comparison.

mod batch;
mod files;
mod poster;
mod writer;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use config::gateway::JournalRules;
use metering::TimeMs;
use metering::journal::{DebitDrawn, DebitEnded, Gap, Record, Refused};
use metering::live::{Debit, Drawn};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::metrics::Metrics;
use crate::request::Request;
use files::Files;
use poster::Poster;
use writer::Writer;

pub(in crate::journal) enum Message {
    Record(Record),
    /// Answered once everything before it was written.
    Flush(SyncSender<()>),
}

/// The entry; cheap to clone.
#[derive(Clone)]
pub struct Journal(Option<Arc<Inside>>);

struct Inside {
    sender: SyncSender<Message>,
    shared: Arc<Shared>,
    refusals_a_second: u32,
    window: Mutex<Window>,
    /// Asks the poster to post all there is and to end.
    end: Option<mpsc::Sender<oneshot::Sender<()>>>,
    started: Instant,
}

/// What writer and poster know of each other.
pub(in crate::journal) struct Shared {
    pub metrics: Arc<Metrics>,
    pub progress: Mutex<Progress>,
    /// What was left out since the last gap record; `None` = nothing.
    gap: Mutex<Option<Gap>>,
}

/// How far the writer is.
#[derive(Clone, Copy)]
pub(in crate::journal) struct Progress {
    /// The file that it writes to; those before are closed. 0 = none yet.
    pub file: u64,
    /// Everything that was to be recorded before this moment is in the files.
    pub whole_until: Instant,
}

/// The refusals of the present second.
#[derive(Default)]
struct Window {
    second: u64,
    recorded: u32,
    left_out: u64,
}

/// What a request came to, as its last step knows it.
#[derive(Clone, Copy, Default)]
pub struct Served {
    pub upstream_status: Option<u16>,
    pub answer_bytes: u64,
}

impl Journal {
    pub const fn off() -> Self {
        Self(None)
    }

    /// Starts the writer; answers the poster's work, to be spawned. A directory that can't be used is no reason not to serve: it is said,
    /// counted and tried again.
    pub fn start(
        rules: JournalRules,
        name: String,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<(Self, impl Future<Output = ()> + Send)> {
        let (sender, receiver) = sync_channel(rules.queue_max);
        let progress = Progress { file: 0, whole_until: Instant::now() };
        let shared = Arc::new(Shared { metrics, progress: Mutex::new(progress), gap: Mutex::default() });
        let files = Files::new(rules.directory.clone(), Uuid::now_v7(), name);
        let writer = Writer::new(files.clone(), &rules, shared.clone());
        thread::Builder::new().name("journal".into()).spawn(move || writer.work(&receiver))?;
        let refusals_a_second = rules.refusals_a_second;
        let (end, ends) = mpsc::channel(1);
        let end = (!rules.post_to.is_empty()).then_some(end);
        let poster = end.is_some().then(|| Poster::new(files, rules, shared.clone()));
        let work = async move {
            if let Some(poster) = poster {
                poster.work(ends).await;
            }
        };
        let (window, started) = (Mutex::default(), Instant::now());
        Ok((Self(Some(Arc::new(Inside { sender, shared, refusals_a_second, window, end, started }))), work))
    }

    pub fn drawn(&self, ask: &Debit, drawn: &Drawn) {
        let Some(inside) = &self.0 else { return };
        let (op, account, credits) = (ask.op, ask.account, ask.credits);
        inside.record(Record::Drawn(DebitDrawn { op, account, event: drawn.event, credits, at: drawn.at }));
    }

    /// What came of it is asked only where a journal is kept.
    pub fn ended(&self, ended: impl FnOnce() -> DebitEnded) {
        if let Some(inside) = &self.0 {
            inside.record(Record::Ended(ended()));
        }
    }

    /// The request was refused by the gateway itself.
    pub fn refused(&self, request: &Request) {
        let Some((inside, refused)) = self.0.as_ref().zip(request.refused.as_deref()) else { return };
        // Whoever is not known can send as many as it likes, and nobody would ask about them.
        if request.caller.is_none() || !inside.may_record_refusal() {
            return;
        }
        let detail = refused.numbers();
        inside.record(Record::Refused(Box::new(Refused {
            request: request.op,
            account: request.caller.as_ref().map(crate::principal::Principal::account),
            key: request.caller.as_ref().and_then(crate::principal::Principal::key),
            route: request.route.as_ref().map(|route| route.name.to_string()),
            code: refused.code().as_str().to_owned(),
            price: detail["price"].as_u64().and_then(|price| metering::Credits::new(price).ok()),
            detail,
            at: request.began_at(),
        })));
    }

    /// Writes and posts what there is, as far as the limit allows; what is left is posted by the next process on this directory.
    pub async fn end(&self, limit: Duration) {
        let Some(inside) = &self.0 else { return };
        let (done, is_done) = sync_channel(1);
        if inside.sender.try_send(Message::Flush(done)).is_ok() {
            // An error means that the writer is gone or slow; what it has written is posted all the same.
            tokio::task::spawn_blocking(move || is_done.recv_timeout(limit)).await.ok();
        }
        let Some(end) = &inside.end else { return };
        let posted = async {
            let (done, is_done) = oneshot::channel();
            end.send(done).await.ok();
            is_done.await.ok();
        };
        if tokio::time::timeout(limit, posted).await.is_err() {
            tracing::warn!(
                "the end of the journal could not be posted before the stop; the next gateway on its directory does it"
            );
        }
    }
}

impl Inside {
    /// Never waits.
    fn record(&self, record: Record) {
        if self.sender.try_send(Message::Record(record)).is_err() {
            self.shared.missed(1);
        }
    }

    fn may_record_refusal(&self) -> bool {
        let second = self.started.elapsed().as_secs() + 1;
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.second != second {
            let refusals = std::mem::take(&mut *window).left_out;
            window.second = second;
            if refusals > 0 {
                self.record(Record::LeftOut { refusals });
            }
        }
        if window.recorded < self.refusals_a_second {
            window.recorded += 1;
            return true;
        }
        window.left_out += 1;
        self.shared.metrics.journal.refusals_left_out.inc();
        false
    }
}

impl Shared {
    /// Records that are nowhere: the report of their time will say that it is incomplete.
    pub fn missed(&self, records: u64) {
        self.metrics.journal.missed.inc_by(records);
        let now = now();
        let mut gap = self.gap.lock().unwrap_or_else(PoisonError::into_inner);
        let gap = gap.get_or_insert(Gap { records: 0, from: now, to: now });
        gap.records += records;
        gap.to = now;
    }

    pub fn take_gap(&self) -> Option<Gap> {
        self.gap.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A gap that could not be written either.
    pub fn put_gap_back(&self, before: Gap) {
        let mut gap = self.gap.lock().unwrap_or_else(PoisonError::into_inner);
        let after = gap.take().unwrap_or(Gap { records: 0, ..before });
        *gap = Some(Gap { records: before.records + after.records, from: before.from.min(after.from), to: after.to });
    }

    pub fn progress(&self) -> Progress {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_progress(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// By this machine's clock, which is what a gap is told by.
pub(in crate::journal) fn now() -> TimeMs {
    let (seconds, nanos) = Uuid::now_v7().get_timestamp().map_or((0, 0), |time| time.to_unix());
    TimeMs::new(seconds * 1_000 + u64::from(nanos) / 1_000_000)
}
