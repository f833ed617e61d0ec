//! What Prometheus sees of the owner.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use ledger::Recorded;
use metering::Shard;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, IntGaugeVec, Opts, Registry};

/// The metrics of the process, each with unit and help.
pub struct Metrics {
    /// Where they are gathered.
    pub registry: Registry,
    /// 1 once the book was found and fits.
    pub book_ready: IntGauge,
    /// 1 while heartbeats reach the book.
    pub heartbeat_ok: IntGauge,
    /// Shards built anew from the book.
    pub rebuilds: IntCounter,
    /// Accounts written from the book.
    pub installed: IntCounter,
    /// Accounts that were not at the expected version.
    pub control_gaps: IntCounter,
    /// Key rows carried.
    pub control_carried: IntCounter,
    /// Lots found past their expiry.
    pub lots_swept: IntCounter,
    /// Undos closed because their debit can't come any more.
    pub undos_settled: IntCounter,
    owned: IntGaugeVec,
    certified: IntGaugeVec,
    broken: IntGaugeVec,
    backlog_events: IntGaugeVec,
    backlog_age: IntGaugeVec,
    control_rows: IntGaugeVec,
    control_age: IntGaugeVec,
    drained_events: IntCounter,
    drained_debits: IntCounter,
    drained_credits: IntCounter,
    given_back_credits: IntCounter,
    duplicates: IntCounter,
    shortfall_credits: IntCounter,
    record_seconds: Histogram,
    /// Owned shards, and whether each is certified.
    shards: Mutex<BTreeMap<Shard, bool>>,
}

impl Metrics {
    /// Registers all of them.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let by_shard = |name: &str, help: &str| -> Result<IntGaugeVec, prometheus::Error> {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["shard"])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let record_seconds = record_seconds()?;
        registry.register(Box::new(record_seconds.clone()))?;
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self {
            book_ready: gauge("tollgate_sync_book_ready", "1 once the book was found and fits this program")?,
            heartbeat_ok: gauge("tollgate_sync_heartbeat_ok", "1 while heartbeats reach the book")?,
            rebuilds: counter("tollgate_sync_rebuilds_total", "Shards whose live state was built anew from the book")?,
            installed: counter(
                "tollgate_sync_accounts_installed_total",
                "Accounts written to live state from the book",
            )?,
            control_gaps: counter(
                "tollgate_sync_control_gaps_total",
                "Accounts installed anew because a version was missing",
            )?,
            control_carried: counter("tollgate_sync_key_rows_total", "Outbox rows of keys carried to live state")?,
            lots_swept: counter("tollgate_sync_lots_swept_total", "Lots found past their expiry")?,
            undos_settled: counter(
                "tollgate_sync_undos_settled_total",
                "Undos closed because their debit can no longer come",
            )?,
            owned: by_shard("tollgate_sync_shard_owned", "1 for each shard this process owns")?,
            certified: by_shard("tollgate_sync_shard_certified", "1 while the shard is certified by this process")?,
            broken: by_shard("tollgate_sync_shard_broken", "1 while the shard stands until somebody looks")?,
            backlog_events: by_shard("tollgate_sync_backlog_events", "Events in the stream that are not in the book")?,
            backlog_age: by_shard(
                "tollgate_sync_backlog_age_ms",
                "Age of the newest event in the book behind the stream, ms",
            )?,
            control_rows: by_shard(
                "tollgate_sync_control_backlog_rows",
                "Outbox rows that live state has not confirmed",
            )?,
            control_age: by_shard("tollgate_sync_control_lag_ms", "Age of the oldest such row, ms")?,
            drained_events: counter("tollgate_sync_drained_events_total", "Events recorded in the book")?,
            drained_debits: counter("tollgate_sync_drained_debits_total", "Debits recorded in the book")?,
            drained_credits: counter("tollgate_sync_drained_credits_total", "Credits of those debits")?,
            given_back_credits: counter(
                "tollgate_sync_given_back_credits_total",
                "Credits returned to lots by give-backs",
            )?,
            duplicates: counter(
                "tollgate_sync_duplicate_debits_total",
                "Second debits of one op, recorded and given back",
            )?,
            shortfall_credits: counter(
                "tollgate_sync_shortfall_credits_total",
                "Credits drawn that a lot in the book did not have",
            )?,
            record_seconds,
            shards: Mutex::default(),
            registry,
        })
    }

    /// A shard is owned, and certified or not yet.
    pub fn certified(&self, shard: Shard, yes: bool) {
        let label = shard.to_string();
        self.owned.with_label_values(&[&label]).set(1);
        self.certified.with_label_values(&[&label]).set(i64::from(yes));
        self.shards().insert(shard, yes);
    }

    /// A shard is no longer owned: another process shows its figures from now on.
    pub fn let_go(&self, shard: Shard) {
        let label = shard.to_string();
        let of_shard = [
            &self.owned,
            &self.certified,
            &self.broken,
            &self.backlog_events,
            &self.backlog_age,
            &self.control_rows,
            &self.control_age,
        ];
        for gauge in of_shard {
            let _ = gauge.remove_label_values(&[&label]); // a figure that was never shown is as good
        }
        self.shards().remove(&shard);
    }

    /// Owned shards that are not certified; the process is ready when there are none.
    pub fn uncertified(&self) -> Vec<String> {
        self.shards().iter().filter(|(_, certified)| !**certified).map(|(shard, _)| shard.to_string()).collect()
    }

    fn shards(&self) -> std::sync::MutexGuard<'_, BTreeMap<Shard, bool>> {
        self.shards.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether a shard stands until somebody looks.
    pub fn broken(&self, shard: Shard, yes: bool) {
        self.broken.with_label_values(&[&shard.to_string()]).set(i64::from(yes));
    }

    /// How far the book is behind the stream.
    pub fn backlog(&self, shard: Shard, events: u64, age_ms: u64) {
        self.backlog_events.with_label_values(&[&shard.to_string()]).set(gauge_value(events));
        self.backlog_age_grows(shard, age_ms);
    }

    /// The age alone, while the book is away.
    pub fn backlog_age_grows(&self, shard: Shard, age_ms: u64) {
        self.backlog_age.with_label_values(&[&shard.to_string()]).set(gauge_value(age_ms));
    }

    /// How far live state is behind the outbox.
    pub fn control_backlog(&self, shard: Shard, rows: u64, age_ms: u64) {
        self.control_rows.with_label_values(&[&shard.to_string()]).set(gauge_value(rows));
        self.control_age.with_label_values(&[&shard.to_string()]).set(gauge_value(age_ms));
    }

    /// A batch is in the book.
    pub fn recorded(&self, recorded: &Recorded, events: usize, took: Duration) {
        self.record_seconds.observe(took.as_secs_f64());
        self.drained_events.inc_by(u64::try_from(events).unwrap_or(0));
        self.drained_debits.inc_by(recorded.debits);
        self.drained_credits.inc_by(recorded.credits_debited);
        self.given_back_credits.inc_by(recorded.credits_returned);
        self.duplicates.inc_by(recorded.duplicates);
        self.shortfall_credits.inc_by(recorded.shortfalls.iter().map(|shortfall| shortfall.credits.get()).sum());
    }
}

/// A batch takes milliseconds; a book in trouble takes seconds.
fn record_seconds() -> Result<Histogram, prometheus::Error> {
    let buckets = vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
    let options = HistogramOpts::new("tollgate_sync_record_seconds", "Time to record one batch in the book, seconds");
    Histogram::with_opts(options.buckets(buckets))
}

fn gauge_value(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
