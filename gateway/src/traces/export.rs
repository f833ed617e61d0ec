//! Gathers finished requests and sends them, one batch after the other, apart from every request's way.

use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::collector::Collector;
use super::message::request;
use super::span::Finished;
use crate::metrics::Metrics;

pub enum Message {
    Finished(Box<Finished>),
    /// Answered once everything before it was sent or dropped.
    Flush(oneshot::Sender<()>),
}

pub struct Exporter {
    pub collector: Collector,
    pub instance: String,
    pub batch_max: usize,
    pub interval: Duration,
    pub metrics: Arc<Metrics>,
}

impl Exporter {
    pub async fn work(self, mut receiver: Receiver<Message>) {
        let mut good = true;
        while let Some(first) = receiver.recv().await {
            let (batch, flushed) = self.gather(first, &mut receiver).await;
            if !batch.is_empty() {
                good = self.send(batch, good).await;
            }
            if let Some(flushed) = flushed {
                flushed.send(()).ok();
            }
        }
    }

    /// As many as may go together, or as come in the interval; whoever waits for them to be sent ends it.
    async fn gather(
        &self,
        first: Message,
        receiver: &mut Receiver<Message>,
    ) -> (Vec<Finished>, Option<oneshot::Sender<()>>) {
        let until = Instant::now() + self.interval;
        let mut batch = Vec::new();
        let mut next = Some(first);
        loop {
            match next {
                Some(Message::Finished(finished)) => batch.push(*finished),
                Some(Message::Flush(flushed)) => return (batch, Some(flushed)),
                None => return (batch, None),
            }
            if batch.len() >= self.batch_max {
                return (batch, None);
            }
            next = timeout_at(until, receiver.recv()).await.unwrap_or_default();
        }
    }

    /// Whether it went well. What was not taken is not kept: the next spans say more than old ones.
    async fn send(&self, batch: Vec<Finished>, was_good: bool) -> bool {
        let spans: u64 = batch.iter().map(Finished::spans).sum();
        let sent = self.collector.send(request(batch, &self.instance).encode_to_vec()).await;
        let refused = sent.as_ref().map_or(spans, |refused| *refused).min(spans);
        self.metrics.spans.sent.inc_by(spans - refused);
        self.metrics.spans.not_taken.inc_by(refused);
        match &sent {
            Ok(_) if !was_good => tracing::info!("the collector of traces at {} takes spans again", self.collector),
            // Said once, not with every batch; the metric goes on counting.
            Err(error) if was_good => {
                tracing::warn!("the collector of traces at {} takes no spans: {error:#}", self.collector);
            }
            _ => {}
        }
        sent.is_ok()
    }
}
