//! What Prometheus sees of mails.

use std::time::Duration;

use frame::Register;
use ledger::mails::{MailBacklog, MailKind};
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Registry};

/// A low balance is to be told within seconds; a mail that waited for a server took hours.
const SECONDS: [f64; 12] = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 28_800.0, 86_400.0];

/// Ends that alerts count. A counter that begins at one has not risen for Prometheus, so these begin at zero.
const WATCHED: [&str; 3] = ["sent", "bounced", "failed"];

/// The metrics of the process, each with unit and help.
pub struct Metrics {
    /// Where they are gathered.
    pub registry: Registry,
    /// 1 once the book was found and fits.
    pub book_fits: IntGauge,
    /// 1 while the book answers.
    pub book_answers: IntGauge,
    /// 1 while the mail server takes up conversations.
    pub server_answers: IntGauge,
    /// Mails that wait to be sent.
    pub queued: IntGauge,
    /// Mails whose worker died while it handed them over.
    pub lapsed: IntCounter,
    queued_age: IntGauge,
    sending: IntGauge,
    unknown: IntGauge,
    failed: IntGauge,
    mails: IntCounterVec,
    reasons: IntCounterVec,
    seconds: Histogram,
}

impl Metrics {
    /// Registers all of them.
    pub fn new() -> Result<Self, prometheus::Error> {
        let new = Register::new("notices")?;
        let metrics = Self {
            book_fits: new.gauge("book_ready", "1 once the book was found and fits this program")?,
            book_answers: new.gauge("book_answers", "1 while the book answers")?,
            server_answers: new
                .gauge("server_answers", "1 while the mail server takes up conversations; alert on 0")?,
            queued: new.gauge("queued", "Mails that wait to be sent")?,
            queued_age: new.gauge("queued_age_ms", "Age of the oldest of them, ms; alert where it keeps growing")?,
            sending: new.gauge("sending", "Mails that are being handed over")?,
            unknown: new.gauge("unknown", "Mails that may have arrived or not; an operator may send them again")?,
            failed: new.gauge("failed", "Mails that were given up")?,
            lapsed: new.counter("lapsed_total", "Mails whose worker died while it handed them over; alert on any")?,
            mails: new.counters("mails_total", "Turns of mails by kind and by how they ended", &["kind", "result"])?,
            reasons: new.counters("not_sent_total", "Turns that did not end with sent, by reason", &["reason"])?,
            seconds: new.seconds("seconds", "From queued to taken by the mail server, seconds", &SECONDS)?,
            registry: new.into_registry(),
        };
        for kind in MailKind::ALL {
            for result in WATCHED {
                metrics.mails.with_label_values(&[kind.as_str(), result]);
            }
        }
        Ok(metrics)
    }

    /// A turn ended.
    pub fn ended(&self, kind: MailKind, result: &str, reason: Option<&str>) {
        self.mails.with_label_values(&[kind.as_str(), result]).inc();
        if let Some(reason) = reason {
            self.reasons.with_label_values(&[reason]).inc();
        }
    }

    /// A mail was taken, so long after it was queued.
    pub fn took(&self, ms: u64) {
        self.seconds.observe(Duration::from_millis(ms).as_secs_f64());
    }

    /// What waits.
    pub fn backlog(&self, backlog: &MailBacklog) {
        let value = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.queued.set(value(backlog.queued));
        self.queued_age.set(value(backlog.queued_age_ms));
        self.sending.set(value(backlog.sending));
        self.unknown.set(value(backlog.unknown));
        self.failed.set(value(backlog.failed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alerts_count_is_shown_before_it_happens() {
        let metrics = Metrics::new().unwrap();
        let text = prometheus::TextEncoder::new().encode_to_string(&metrics.registry.gather()).unwrap();
        let line = "tollgate_notices_mails_total{kind=\"low_balance\",result=\"bounced\"} 0";
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}
