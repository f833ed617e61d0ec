//! Spans of sampled requests for a collector. While traces are off nothing of this exists, and a request that is not sampled
//! pays for one comparison.

mod collector;
mod context;
mod export;
mod message;
mod span;

use std::sync::Arc;
use std::time::Duration;

use config::gateway::TraceRules;
use http::HeaderMap;
use metering::OpId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

pub use context::{TRACEPARENT, incoming, new_traceparent};
pub use span::{Finished, Outcome, Step, Trace};

use crate::metrics::Metrics;
use crate::own_request::Endpoint;
use collector::Collector;
use export::{Exporter, Message};

/// The whole of what the sampled part is counted in.
const WHOLE: u64 = 10_000;

pub struct Traces {
    sampled_per_10_000: u64,
    callers_decide: bool,
    sender: mpsc::Sender<Message>,
    metrics: Arc<Metrics>,
}

impl Traces {
    /// The entry, and the work to be spawned. `instance` tells this process from others like it.
    pub fn new(rules: TraceRules, instance: String, metrics: Arc<Metrics>) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(rules.queue_max);
        let traces = Self {
            sampled_per_10_000: u64::from(rules.sampled_per_10_000),
            callers_decide: rules.callers_decide,
            sender,
            metrics: metrics.clone(),
        };
        let (batch_max, interval) = (rules.batch_max, rules.interval);
        let collector = Collector(Endpoint::new(rules.address, rules.path, rules.timeout));
        (traces, Exporter { collector, instance, batch_max, interval, metrics }.work(receiver))
    }

    /// `None` for a request that is not sampled. Chance is the request id's, which no caller can choose, unless callers decide.
    pub fn begin(&self, lines: &HeaderMap, op: OpId) -> Option<Box<Trace>> {
        let parent = if self.callers_decide { incoming(lines) } else { None };
        let random = op.as_uuid().as_u64_pair().1 & u64::from(u32::MAX);
        let sampled = parent.map_or(random % WHOLE < self.sampled_per_10_000, |parent| parent.is_sampled());
        sampled.then(|| Box::new(Trace::new(parent.or_else(|| incoming(lines)), op)))
    }

    /// Never waits.
    pub fn send(&self, finished: Finished) {
        let spans = finished.spans();
        if self.sender.try_send(Message::Finished(Box::new(finished))).is_err() {
            self.metrics.spans.queue_full.inc_by(spans);
        }
    }

    /// Waits until all that was finished is sent or dropped, or the limit has passed.
    pub async fn flush(&self, limit: Duration) {
        let (done, is_done) = oneshot::channel();
        let flushed = async {
            self.sender.send(Message::Flush(done)).await.ok();
            is_done.await.ok();
        };
        if timeout(limit, flushed).await.is_err() {
            tracing::warn!("the collector of traces took too long for the last spans before the stop");
        }
    }
}
