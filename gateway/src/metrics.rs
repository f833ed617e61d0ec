//! What the gateway counts. Handles are resolved once, so that a request pays for a few atomic additions.

mod certificates;
mod confirms;
mod holds;
mod journal;
mod labels;
mod reloads;
mod sessions;
mod traces;
mod upstreams;

use std::time::Duration;

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

pub use self::sessions::{SessionMetrics, StandingLookup};
pub use confirms::ConfirmLabel;
pub use labels::{DebitLabel, KeyLookup};
pub use reloads::ReloadMetrics;
pub use upstreams::{GroupMetrics, ServerMetrics, UpstreamMetrics};

use crate::metrics::certificates::CertificateMetrics;
use crate::metrics::confirms::ConfirmMetrics;
use crate::metrics::holds::HoldMetrics;
use crate::metrics::journal::JournalMetrics;
use crate::metrics::traces::SpanMetrics;
use crate::rejection::Code;
use crate::restitution::Restitution;
use crate::steps::give_back::Reason;

/// From 50 µs, which is one fast round trip, to the deadline of a debit.
const DEBIT_BUCKETS: [f64; 14] =
    [5e-5, 1e-4, 1.5e-4, 2e-4, 3e-4, 5e-4, 8e-4, 1.5e-3, 3e-3, 6e-3, 1.2e-2, 2.5e-2, 1e-1, 2.5e-1];
/// From a small JSON API to a model that thinks for a minute.
const UPSTREAM_BUCKETS: [f64; 12] = [1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.5, 1.0, 5.0, 20.0, 60.0];

const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Waits until a gauge counts nothing, or the limit has passed; answers what it counts then.
pub async fn until_none(gauge: &IntGauge, limit: Duration) -> i64 {
    const STEP: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    while gauge.get() > 0 && waited < limit {
        tokio::time::sleep(STEP).await;
        waited += STEP;
    }
    gauge.get()
}

pub struct Metrics {
    registry: Registry,
    pub debit_seconds: Histogram,
    debits: [IntCounter; DebitLabel::ALL.len()],
    rejections: [IntCounter; Code::ALL.len()],
    give_backs: [IntCounter; Reason::ALL.len()],
    restitutions: [IntCounter; Restitution::KINDS.len()],
    pub restitutions_open: IntGauge,
    pub restitutions_dropped: IntCounter,
    pub debits_not_durable: IntCounter,
    pub holds: HoldMetrics,
    pub confirms: ConfirmMetrics,
    pub journal: JournalMetrics,
    key_lookups: [IntCounter; KeyLookup::ALL.len()],
    pub key_cache_entries: IntGauge,
    pub sessions: SessionMetrics,
    pub key_changes_heard: IntGauge,
    pub requests_in_flight: IntGauge,
    pub connections: IntGauge,
    pub connections_refused: IntCounter,
    pub redis_reachable: IntGauge,
    pub log_lines_dropped: IntCounter,
    pub websocket_messages: IntCounter,
    pub certificates: CertificateMetrics,
    pub spans: SpanMetrics,
    requests: IntCounterVec,
    upstream_seconds: HistogramVec,
    pub upstreams: UpstreamMetrics,
    pub reloads: ReloadMetrics,
}

/// The counters of one route.
pub struct RouteMetrics {
    answers: [IntCounter; STATUS_CLASSES.len()],
    pub upstream_seconds: Histogram,
}

impl RouteMetrics {
    pub fn answered(&self, status: u16) {
        if let Some(class) = self.answers.get(usize::from(status / 100).wrapping_sub(1)) {
            class.inc();
        }
    }
}

impl Metrics {
    pub fn new() -> prometheus::Result<Self> {
        let r = &Registry::new();
        let metrics = Self {
            debit_seconds: debit_seconds(r)?,
            debits: labelled(
                r,
                "debits_total",
                "Debits asked for, by outcome.",
                "outcome",
                DebitLabel::ALL.map(DebitLabel::as_str),
            )?,
            rejections: labelled(
                r,
                "rejections_total",
                "Requests the gateway refused, by code.",
                "code",
                Code::ALL.map(Code::as_str),
            )?,
            give_backs: give_backs(r)?,
            restitutions: restitutions(r)?,
            restitutions_open: gauge(
                r,
                "restitutions_open",
                "Give-backs, undos and the like that Redis has not taken yet.",
            )?,
            restitutions_dropped: counter(
                r,
                "restitutions_dropped_total",
                "Give-backs, undos and the like lost because the queue was full; alert on any.",
            )?,
            debits_not_durable: counter(
                r,
                "debits_not_durable_total",
                "Debits given back because they were not on disk in time, as their route wants.",
            )?,
            holds: HoldMetrics::new(r)?,
            confirms: ConfirmMetrics::new(r)?,
            journal: JournalMetrics::new(r)?,
            key_lookups: key_lookups(r)?,
            key_cache_entries: gauge(r, "key_cache_entries", "API keys in the cache, unknown ones included.")?,
            sessions: SessionMetrics::new(r)?,
            key_changes_heard: gauge(
                r,
                "key_changes_heard",
                "1 while changes of API keys are heard; 0 makes every key stale.",
            )?,
            requests_in_flight: gauge(r, "requests_in_flight", "Requests being served.")?,
            connections: gauge(r, "connections", "Open connections of callers.")?,
            connections_refused: counter(
                r,
                "connections_refused_total",
                "Connections closed at once because there were too many.",
            )?,
            redis_reachable: gauge(r, "redis_reachable", "1 while Redis answers.")?,
            log_lines_dropped: counter(
                r,
                "log_lines_dropped_total",
                "Request log lines lost because they could not be written fast enough.",
            )?,
            websocket_messages: counter(r, "websocket_messages_total", "Messages that were paid for one by one.")?,
            certificates: CertificateMetrics::new(r)?,
            spans: SpanMetrics::new(r)?,
            requests: requests(r)?,
            upstream_seconds: upstream_seconds(r)?,
            upstreams: UpstreamMetrics::new(r)?,
            reloads: ReloadMetrics::new(r)?,
            registry: r.clone(),
        };
        r.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    /// The handles of one route.
    pub fn route(&self, name: &str) -> RouteMetrics {
        RouteMetrics {
            answers: STATUS_CLASSES.map(|class| self.requests.with_label_values(&[name, class])),
            upstream_seconds: self.upstream_seconds.with_label_values(&[name]),
        }
    }

    pub fn debit(&self, label: DebitLabel) {
        self.debits[label as usize].inc();
    }

    pub fn rejection(&self, code: Code) {
        self.rejections[code as usize].inc();
    }

    pub fn give_back(&self, reason: Reason) {
        if let Some(number) = Reason::ALL.iter().position(|known| *known == reason) {
            self.give_backs[number].inc();
        }
    }

    pub fn restitution_added(&self, restitution: &Restitution) {
        self.restitutions[restitution.kind()].inc();
    }

    pub fn key_lookup(&self, result: KeyLookup) {
        self.key_lookups[result as usize].inc();
    }

    /// All of it in the text format.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics can't be written");
        }
        text
    }
}

fn name(short: &str) -> String {
    format!("tollgate_gateway_{short}")
}

fn counter(registry: &Registry, short: &str, help: &str) -> prometheus::Result<IntCounter> {
    let counter = IntCounter::new(name(short), help)?;
    registry.register(Box::new(counter.clone()))?;
    Ok(counter)
}

fn gauge(registry: &Registry, short: &str, help: &str) -> prometheus::Result<IntGauge> {
    let gauge = IntGauge::new(name(short), help)?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

/// One counter for each value of one label, so that all of them show from the start.
fn labelled<const N: usize>(
    registry: &Registry,
    short: &str,
    help: &str,
    label: &str,
    values: [&str; N],
) -> prometheus::Result<[IntCounter; N]> {
    let counters = IntCounterVec::new(Opts::new(name(short), help), &[label])?;
    registry.register(Box::new(counters.clone()))?;
    Ok(values.map(|value| counters.with_label_values(&[value])))
}

fn restitutions(registry: &Registry) -> prometheus::Result<[IntCounter; Restitution::KINDS.len()]> {
    let help = "What was queued for Redis: what it did not take at once, and words that nobody waits for (answered).";
    labelled(registry, "restitutions_total", help, "kind", Restitution::KINDS)
}

fn key_lookups(registry: &Registry) -> prometheus::Result<[IntCounter; KeyLookup::ALL.len()]> {
    let results = KeyLookup::ALL.map(KeyLookup::as_str);
    labelled(registry, "key_lookups_total", "Look-ups of API keys, by result.", "result", results)
}

fn give_backs(registry: &Registry) -> prometheus::Result<[IntCounter; Reason::ALL.len()]> {
    let reasons = Reason::ALL.map(Reason::as_str);
    labelled(registry, "give_backs_total", "Debits given back, by reason.", "reason", reasons)
}

fn debit_seconds(registry: &Registry) -> prometheus::Result<Histogram> {
    let opts = HistogramOpts::new(name("debit_duration_seconds"), "Time a request waited for its debit.");
    let histogram = Histogram::with_opts(opts.buckets(DEBIT_BUCKETS.to_vec()))?;
    registry.register(Box::new(histogram.clone()))?;
    Ok(histogram)
}

fn upstream_seconds(registry: &Registry) -> prometheus::Result<HistogramVec> {
    let opts =
        HistogramOpts::new(name("upstream_response_seconds"), "Time until the upstream's answer began, by route.");
    let histograms = HistogramVec::new(opts.buckets(UPSTREAM_BUCKETS.to_vec()), &["route"])?;
    registry.register(Box::new(histograms.clone()))?;
    Ok(histograms)
}

fn requests(registry: &Registry) -> prometheus::Result<IntCounterVec> {
    let opts = Opts::new(
        name("requests_total"),
        "Requests of a known route, by route and class of the status they were answered.",
    );
    let counters = IntCounterVec::new(opts, &["route", "status_class"])?;
    registry.register(Box::new(counters.clone()))?;
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_help_and_shows_from_the_start() {
        let metrics = Metrics::new().unwrap();
        metrics.route("messages").answered(200);
        metrics.debit(DebitLabel::Drawn);
        let text = String::from_utf8(metrics.text()).unwrap();
        for line in [
            "# HELP tollgate_gateway_debit_duration_seconds Time a request waited for its debit.",
            "tollgate_gateway_debits_total{outcome=\"drawn\"} 1",
            "tollgate_gateway_debits_total{outcome=\"unknown\"} 0",
            "tollgate_gateway_rejections_total{code=\"meter_unavailable\"} 0",
            "tollgate_gateway_give_backs_total{reason=\"broken_stream\"} 0",
            "tollgate_gateway_requests_total{route=\"messages\",status_class=\"2xx\"} 1",
            "tollgate_gateway_debit_duration_seconds_bucket{le=\"0.00005\"} 0",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
