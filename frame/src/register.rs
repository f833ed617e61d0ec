//! Metrics by name: each is registered as it is made.

use prometheus::core::Collector;
use prometheus::{Error, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// Makes the metrics of a service, `tollgate_<service>_<name>`; those of the process are there from the start.
pub struct Register {
    registry: Registry,
    service: &'static str,
}

impl Register {
    pub fn new(service: &'static str) -> Result<Self, Error> {
        let registry = Registry::new();
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self { registry, service })
    }

    /// Where all of them are gathered.
    #[must_use]
    pub fn into_registry(self) -> Registry {
        self.registry
    }

    pub fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, Error> {
        self.keep(IntGauge::new(self.full(name), help)?)
    }

    pub fn gauges(&self, name: &str, help: &str, label: &str) -> Result<IntGaugeVec, Error> {
        self.keep(IntGaugeVec::new(Opts::new(self.full(name), help), &[label])?)
    }

    pub fn counter(&self, name: &str, help: &str) -> Result<IntCounter, Error> {
        self.keep(IntCounter::new(self.full(name), help)?)
    }

    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Error> {
        self.keep(IntCounterVec::new(Opts::new(self.full(name), help), labels)?)
    }

    pub fn seconds(&self, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, Error> {
        self.keep(Histogram::with_opts(HistogramOpts::new(self.full(name), help).buckets(buckets.to_vec()))?)
    }

    fn keep<M: Collector + Clone + 'static>(&self, metric: M) -> Result<M, Error> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn full(&self, name: &str) -> String {
        format!("tollgate_{}_{name}", self.service)
    }
}
