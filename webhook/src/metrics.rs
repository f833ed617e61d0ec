//! What Prometheus sees of deliveries.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use frame::Register;
use payments::DifferenceKind;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

/// Stripe has some 250 types of events; a label never takes more values than this.
const KINDS_MAX: usize = 300;
const OTHER: &str = "other";
/// What alerts count. A counter that begins at one has not risen for Prometheus, so these begin at zero.
const WATCHED_REFUSALS: [&str; 5] = ["signature_wrong", "book_unavailable", "busy", "internal", "body_too_slow"];
const WATCHED_DELIVERIES: [&str; 2] = ["mail.bounced", "mail.complained"];
/// A healthy answer takes milliseconds; 100 ms is the limit for 99 of 100.
const SECONDS: [f64; 14] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0];

/// The metrics of the process, each with unit and help.
pub struct Metrics {
    /// Where they are gathered.
    pub registry: Registry,
    /// 1 once the book was found and fits.
    pub book_fits: IntGauge,
    /// 1 while the book answers.
    pub book_answers: IntGauge,
    /// Parked deliveries that wait for an operator.
    pub parked_open: IntGauge,
    /// Deliveries that are neither applied, ignored nor parked.
    pub waiting: IntGauge,
    /// Age of the oldest of them.
    pub waiting_age: IntGauge,
    /// Looks at what Stripe says that ended.
    pub reconciled: IntCounter,
    /// Looks that could not be ended.
    pub reconcile_failures: IntCounter,
    /// When the last look ended, in seconds since 1970; 0 before the first.
    pub reconciled_at: IntGauge,
    reconcile_differences: IntGaugeVec,
    deliveries: IntCounterVec,
    refused: IntCounterVec,
    parked: IntCounterVec,
    postponed: IntCounterVec,
    answer_seconds: Histogram,
    apply_seconds: Histogram,
    kinds: Mutex<BTreeSet<String>>,
}

impl Metrics {
    /// Registers all of them.
    pub fn new() -> Result<Self, prometheus::Error> {
        let new = Register::new("webhook")?;
        let metrics = Self {
            book_fits: new.gauge("book_ready", "1 once the book was found and fits this program")?,
            book_answers: new.gauge("book_answers", "1 while the book answers")?,
            parked_open: new.gauge("parked", "Parked deliveries that wait for an operator; alert on any")?,
            waiting: new.gauge("waiting", "Deliveries recorded and not yet applied, ignored or parked")?,
            waiting_age: new.gauge("waiting_age_ms", "Age of the oldest of them, ms")?,
            reconciled: new.counter("reconciles_total", "Looks at what Stripe says that ended")?,
            reconcile_failures: new.counter("reconcile_failures_total", "Looks that could not be ended")?,
            reconciled_at: new.gauge("reconciled_at_seconds", "When the last look of this process ended, Unix time")?,
            reconcile_differences: new.gauges(
                "reconcile_differences",
                "Differences between Stripe and the book that the last look of this process left; alert on any",
                "kind",
            )?,
            deliveries: new.counters(
                "deliveries_total",
                "Deliveries by type and by what became of them",
                &["type", "result"],
            )?,
            refused: new.counters("refused_total", "Requests not answered 200, by reason", &["reason"])?,
            parked: new.counters("parked_total", "Deliveries parked, by reason", &["reason"])?,
            postponed: new.counters("postponed_total", "Deliveries put off, by reason", &["reason"])?,
            answer_seconds: new.seconds(
                "answer_seconds",
                "From a request's header to its answer, seconds",
                &SECONDS,
            )?,
            apply_seconds: new.seconds(
                "apply_seconds",
                "From a delivery's arrival to its end in the book, seconds",
                &SECONDS,
            )?,
            kinds: Mutex::default(),
            registry: new.into_registry(),
        };
        metrics.show_from_the_start();
        Ok(metrics)
    }

    fn show_from_the_start(&self) {
        for reason in WATCHED_REFUSALS {
            self.refused.with_label_values(&[reason]);
        }
        for kind in WATCHED_DELIVERIES {
            self.deliveries.with_label_values(&[kind, "recorded"]);
        }
        for kind in DifferenceKind::ALL {
            self.differences(kind.as_str(), 0);
        }
    }

    /// A delivery came: recorded, or known already.
    pub fn delivered(&self, kind: &str, how: &str) {
        self.deliveries.with_label_values(&[&self.kind(kind), how]).inc();
    }

    /// A delivery came to its end.
    pub fn settled(&self, kind: &str, end: &str, after_ms: u64) {
        self.deliveries.with_label_values(&[&self.kind(kind), end]).inc();
        self.apply_seconds.observe(Duration::from_millis(after_ms).as_secs_f64());
    }

    /// A delivery was put off.
    pub fn postponed(&self, kind: &str, reason: &str) {
        self.deliveries.with_label_values(&[&self.kind(kind), "postponed"]).inc();
        self.postponed.with_label_values(&[reason]).inc();
    }

    /// A delivery was parked.
    pub fn parked(&self, reason: &str) {
        self.parked.with_label_values(&[reason]).inc();
        self.parked_open.inc(); // counted anew soon
    }

    /// A request was not answered 200.
    pub fn refused(&self, reason: &str) {
        self.refused.with_label_values(&[reason]).inc();
    }

    /// A request was answered, well or badly.
    pub fn answered(&self, took: Duration) {
        self.answer_seconds.observe(took.as_secs_f64());
    }

    /// What a look left, of a kind.
    pub fn differences(&self, kind: &str, count: usize) {
        self.reconcile_differences.with_label_values(&[kind]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The type as a label: new ones up to a number, so that no sender can make labels without end.
    fn kind<'a>(&self, kind: &'a str) -> std::borrow::Cow<'a, str> {
        let mut kinds = self.kinds.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !kinds.contains(kind) {
            if kinds.len() >= KINDS_MAX {
                return OTHER.into();
            }
            kinds.insert(kind.to_owned());
        }
        kind.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alerts_count_is_shown_before_it_happens() {
        let metrics = Metrics::new().unwrap();
        let text = prometheus::TextEncoder::new().encode_to_string(&metrics.registry.gather()).unwrap();
        for line in [
            "tollgate_webhook_refused_total{reason=\"signature_wrong\"} 0",
            "tollgate_webhook_deliveries_total{result=\"recorded\",type=\"mail.bounced\"} 0",
            "tollgate_webhook_reconcile_differences{kind=\"paid_not_granted\"} 0",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn types_without_end_share_one_label() {
        let metrics = Metrics::new().unwrap();
        for number in 0..KINDS_MAX {
            assert_ne!(metrics.kind(&format!("kind.{number}")), OTHER);
        }
        assert_eq!(metrics.kind("one.more"), OTHER);
        assert_eq!(metrics.kind("kind.7"), "kind.7");
    }
}
