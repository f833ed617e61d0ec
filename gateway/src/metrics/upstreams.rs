//! What is counted of upstreams. The labels are the groups and servers of the settings, nothing else.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::name;

const SERVER: [&str; 2] = ["upstream", "server"];

pub struct UpstreamMetrics {
    up: IntGaugeVec,
    requests: IntGaugeVec,
    ejections: IntCounterVec,
    connect_retries: IntCounterVec,
    busy: IntCounterVec,
    shown: Mutex<BTreeSet<(String, String)>>,
}

pub struct GroupMetrics {
    pub connect_retries: IntCounter,
    pub busy: IntCounter,
}

pub struct ServerMetrics {
    pub up: IntGauge,
    pub requests: IntGauge,
    pub ejections: IntCounter,
}

impl UpstreamMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let gauges = |short: &str, help: &str| {
            let gauges = IntGaugeVec::new(Opts::new(name(short), help), &SERVER)?;
            registry.register(Box::new(gauges.clone())).map(|()| gauges)
        };
        let counters = |short: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name(short), help), labels)?;
            registry.register(Box::new(counters.clone())).map(|()| counters)
        };
        Ok(Self {
            up: gauges("upstream_up", "1 while a server gets requests, 0 while it is left out or not healthy.")?,
            requests: gauges("upstream_requests", "Requests a server has just now.")?,
            ejections: counters("upstream_ejections_total", "Times a server was left out for its failures.", &SERVER)?,
            connect_retries: counters(
                "upstream_connect_retries_total",
                "Requests that went to another server because the first one could not be reached.",
                &["upstream"],
            )?,
            busy: counters(
                "upstream_busy_total",
                "Requests refused because every server had as many as it may.",
                &["upstream"],
            )?,
            shown: Mutex::default(),
        })
    }

    pub fn group(&self, upstream: &str) -> GroupMetrics {
        GroupMetrics {
            connect_retries: self.connect_retries.with_label_values(&[upstream]),
            busy: self.busy.with_label_values(&[upstream]),
        }
    }

    pub fn server(&self, upstream: &str, server: &str) -> ServerMetrics {
        let labels = [upstream, server];
        ServerMetrics {
            up: self.up.with_label_values(&labels),
            requests: self.requests.with_label_values(&labels),
            ejections: self.ejections.with_label_values(&labels),
        }
    }

    /// Stops to show servers that the settings no longer name, so that reloads can't make the metrics grow.
    pub fn show_only(&self, names: BTreeSet<(String, String)>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for (upstream, server) in shown.difference(&names) {
            let labels = [upstream.as_str(), server.as_str()];
            // An error means that it was not shown.
            self.up.remove_label_values(&labels).ok();
            self.requests.remove_label_values(&labels).ok();
            self.ejections.remove_label_values(&labels).ok();
            if !names.iter().any(|(kept, _)| kept == upstream) {
                self.connect_retries.remove_label_values(&[upstream]).ok();
                self.busy.remove_label_values(&[upstream]).ok();
            }
        }
        *shown = names;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn servers_that_are_gone_are_shown_no_more_and_those_that_stay_count_on() {
        let metrics = Metrics::new().unwrap();
        let pair = |server: &str| ("a".to_owned(), server.to_owned());
        for server in ["x", "y"] {
            metrics.upstreams.server("a", server).ejections.inc();
        }
        metrics.upstreams.show_only(BTreeSet::from([pair("x"), pair("y")]));
        metrics.upstreams.server("a", "x").ejections.inc();
        metrics.upstreams.show_only(BTreeSet::from([pair("x")]));
        let text = String::from_utf8(metrics.text()).unwrap();
        assert!(text.contains("upstream_ejections_total{server=\"x\",upstream=\"a\"} 2"), "{text}");
        assert!(!text.contains("server=\"y\""), "{text}");
    }
}
