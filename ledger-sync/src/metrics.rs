//! What Prometheus sees of the owner.

mod journal;
mod risk;
mod usage;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use frame::Register;
use ledger::Recorded;
use metering::Shard;
use metering::live::owner::Caps;
use prometheus::{Histogram, IntCounter, IntGauge, IntGaugeVec, Registry};

use crate::metrics::journal::JournalMetrics;
use crate::metrics::risk::RiskMetrics;
use crate::metrics::usage::UsageMetrics;

/// A batch takes milliseconds; a book in trouble takes seconds.
const RECORD_SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

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
    /// Holds that nobody settled in time, and debits that nobody confirmed.
    pub holds_released: IntCounter,
    /// Credits by which book and live state differ, in the last round through all accounts; must be 0.
    pub drift_credits: IntGauge,
    /// Differences found in that round.
    pub differences: IntGauge,
    /// Accounts verified.
    pub verified: IntCounter,
    /// When the last whole round through all accounts ended, in seconds since 1970; 0 before the first.
    pub verified_round_at: IntGauge,
    /// Of gateways' journals.
    pub journal: JournalMetrics,
    /// Of what is counted for people.
    pub usage: UsageMetrics,
    /// Shards there are, of accounts and of keys, whoever owns them.
    pub shards_known: IntGauge,
    owned: IntGaugeVec,
    certified: IntGaugeVec,
    broken: IntGaugeVec,
    risk: RiskMetrics,
    dead_letters: IntGaugeVec,
    backlog_events: IntGaugeVec,
    backlog_age: IntGaugeVec,
    control_rows: IntGaugeVec,
    control_age: IntGaugeVec,
    drained_events: IntCounter,
    drained_debits: IntCounter,
    drained_credits: IntCounter,
    given_back_credits: IntCounter,
    duplicates: IntCounter,
    confirmed: IntCounter,
    confirmed_in_vain: IntCounter,
    unconfirmed: IntCounter,
    shortfall_credits: IntCounter,
    record_seconds: Histogram,
    clock_skew: IntGauge,
    install_percent: IntGaugeVec,
    /// Owned shards, and whether each is certified.
    shards: Mutex<BTreeMap<Shard, bool>>,
    /// Shards that are being installed, and how many of a hundred accounts or keys are there.
    installing: Mutex<BTreeMap<Shard, i64>>,
}

impl Metrics {
    /// Registers all of them.
    pub fn new() -> Result<Self, prometheus::Error> {
        let new = Register::new("sync")?;
        Ok(Self {
            book_ready: new.gauge("book_ready", "1 once the book was found and fits this program")?,
            heartbeat_ok: new.gauge("heartbeat_ok", "1 while heartbeats reach the book")?,
            rebuilds: new.counter("rebuilds_total", "Shards whose live state was built anew from the book")?,
            installed: new.counter("accounts_installed_total", "Accounts written to live state from the book")?,
            control_gaps: new.counter("control_gaps_total", "Accounts installed anew because a version was missing")?,
            control_carried: new.counter("key_rows_total", "Outbox rows of keys carried to live state")?,
            lots_swept: new.counter("lots_swept_total", "Lots found past their expiry")?,
            undos_settled: new.counter("undos_settled_total", "Undos closed because their debit can no longer come")?,
            holds_released: new.counter(
                "holds_released_total",
                "Holds that nobody settled, and debits that nobody confirmed, in time",
            )?,
            drift_credits: new.gauge("drift_credits", "Credits by which book and live state differ; must be 0")?,
            differences: new.gauge("differences", "Differences between book and live state in the last round")?,
            verified: new.counter("accounts_verified_total", "Accounts recomputed and compared with live state")?,
            verified_round_at: new.gauge(
                "verified_round_at_seconds",
                "When the last whole round through all accounts ended, Unix time",
            )?,
            journal: JournalMetrics::new(&new)?,
            usage: UsageMetrics::new(&new)?,
            shards_known: new.gauge("shards", "Shards there are, of accounts and of keys, whoever owns them")?,
            owned: new.gauges("shard_owned", "1 for each shard this process owns", "shard")?,
            certified: new.gauges("shard_certified", "1 while the shard is certified by this process", "shard")?,
            broken: new.gauges("shard_broken", "1 while the shard stands until somebody looks", "shard")?,
            risk: RiskMetrics::new(&new)?,
            dead_letters: new.gauges(
                "dead_letters",
                "Open dead letters: events that are parked until somebody decides",
                "shard",
            )?,
            backlog_events: new.gauges("backlog_events", "Events in the stream that are not in the book", "shard")?,
            backlog_age: new.gauges("backlog_age_ms", "How far the book is behind the stream, ms", "shard")?,
            control_rows: new.gauges(
                "control_backlog_rows",
                "Outbox rows that live state has not confirmed",
                "shard",
            )?,
            control_age: new.gauges("control_lag_ms", "Age of the oldest such row, ms", "shard")?,
            drained_events: new.counter("drained_events_total", "Events recorded in the book")?,
            drained_debits: new.counter("drained_debits_total", "Debits recorded in the book")?,
            drained_credits: new.counter("drained_credits_total", "Credits of those debits")?,
            given_back_credits: new.counter("given_back_credits_total", "Credits returned to lots by give-backs")?,
            duplicates: new.counter("duplicate_debits_total", "Second debits of one op, recorded and given back")?,
            confirmed: new.counter("confirmed_total", "Debits confirmed by their gateway")?,
            confirmed_in_vain: new
                .counter("confirmed_in_vain_total", "Confirmations of debits that were given back before, or lost")?,
            unconfirmed: new
                .counter("unconfirmed_total", "Debits given back because nobody settled or confirmed them")?,
            shortfall_credits: new
                .counter("shortfall_credits_total", "Credits drawn that a lot in the book did not have")?,
            record_seconds: new.seconds(
                "record_seconds",
                "Time to record one batch in the book, seconds",
                &RECORD_SECONDS,
            )?,
            clock_skew: new.gauge("clock_skew_ms", "How far the clocks of Redis and Postgres were apart, ms")?,
            install_percent: new.gauges(
                "install_percent",
                "How much of a shard that is built anew is there",
                "shard",
            )?,
            shards: Mutex::default(),
            installing: Mutex::default(),
            registry: new.into_registry(),
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
            &self.risk.redis_unsafe,
            &self.dead_letters,
            &self.backlog_events,
            &self.backlog_age,
            &self.risk.exposure_percent,
            &self.control_rows,
            &self.control_age,
            &self.install_percent,
        ];
        for gauge in of_shard {
            let _ = gauge.remove_label_values(&[&label]); // a figure that was never shown is as good
        }
        self.shards().remove(&shard);
        self.not_installing(shard);
    }

    /// Owned shards that are not certified; the process is ready when there are none.
    pub fn uncertified(&self) -> Vec<String> {
        self.shards().iter().filter(|(_, certified)| !**certified).map(|(shard, _)| shard.to_string()).collect()
    }

    /// A shard is being installed: so many of all its accounts or keys are there.
    pub fn installing(&self, shard: Shard, done: u64, of: u64) {
        let percent = gauge_value(done.saturating_mul(100).checked_div(of).unwrap_or(0).min(99)); // the last of them is told by its end
        self.install_percent.with_label_values(&[&shard.to_string()]).set(percent);
        self.in_installation().insert(shard, percent);
    }

    /// A shard is installed, or its install was interrupted and starts over.
    pub fn not_installing(&self, shard: Shard) {
        let _ = self.install_percent.remove_label_values(&[&shard.to_string()]); // a figure that was never shown is as good
        self.in_installation().remove(&shard);
    }

    /// Shards that are being installed, with how many of a hundred accounts or keys are there.
    pub fn installs(&self) -> BTreeMap<String, i64> {
        self.in_installation().iter().map(|(shard, percent)| (shard.to_string(), *percent)).collect()
    }

    fn in_installation(&self) -> std::sync::MutexGuard<'_, BTreeMap<Shard, i64>> {
        self.installing.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How far the clocks of the two stores are apart.
    pub fn clock_skew(&self, ms: u64) {
        self.clock_skew.set(gauge_value(ms));
    }

    fn shards(&self) -> std::sync::MutexGuard<'_, BTreeMap<Shard, bool>> {
        self.shards.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether a shard stands until somebody looks.
    pub fn broken(&self, shard: Shard, yes: bool) {
        self.broken.with_label_values(&[&shard.to_string()]).set(i64::from(yes));
    }

    /// Whether a shard stands because its Redis may forget money.
    pub fn redis_unsafe(&self, shard: Shard, yes: bool) {
        self.risk.redis_unsafe.with_label_values(&[&shard.to_string()]).set(i64::from(yes));
    }

    /// How many events of a shard are parked.
    pub fn dead_letters(&self, shard: Shard, open: u64) {
        self.dead_letters.with_label_values(&[&shard.to_string()]).set(gauge_value(open));
    }

    /// More are parked: shown at once, and counted anew soon.
    pub fn parked(&self, shard: Shard, more: usize) {
        if more > 0 {
            self.dead_letters.with_label_values(&[&shard.to_string()]).add(i64::try_from(more).unwrap_or(i64::MAX));
        }
    }

    /// How far the book is behind the stream, and how near that is to what the installation allows.
    pub fn backlog(&self, shard: Shard, exposed: Caps, caps: Caps) {
        let label = shard.to_string();
        self.backlog_events.with_label_values(&[&label]).set(gauge_value(exposed.events));
        self.backlog_age.with_label_values(&[&label]).set(gauge_value(exposed.age_ms));
        self.risk.exposure_percent.with_label_values(&[&label]).set(gauge_value(percent(exposed, caps)));
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
        self.confirmed.inc_by(recorded.confirmed);
        self.confirmed_in_vain.inc_by(recorded.confirmed_in_vain);
        self.unconfirmed.inc_by(recorded.unconfirmed);
        self.shortfall_credits.inc_by(recorded.shortfalls.iter().map(|shortfall| shortfall.credits.get()).sum());
    }
}

/// How much of its cap is used up, of that which is nearest to it.
fn percent(exposed: Caps, caps: Caps) -> u64 {
    let of = |used: u64, cap: u64| used.saturating_mul(100).checked_div(cap).unwrap_or(100);
    of(exposed.events, caps.events).max(of(exposed.credits, caps.credits)).max(of(exposed.age_ms, caps.age_ms))
}

fn gauge_value(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exposure_that_is_nearest_to_its_cap_counts() {
        let caps = Caps { events: 200, credits: 1_000, age_ms: 10_000 };
        let exposed = Caps { events: 20, credits: 100, age_ms: 1_000 };
        assert_eq!(percent(exposed, caps), 10);
        assert_eq!(percent(Caps { events: 50, ..exposed }, caps), 25);
        assert_eq!(percent(Caps { credits: 990, ..exposed }, caps), 99);
        assert_eq!(percent(Caps { age_ms: 12_000, ..exposed }, caps), 120);
        assert_eq!(
            percent(Caps { events: 0, credits: 0, age_ms: 0 }, Caps { events: 0, ..caps }),
            100,
            "nothing may be exposed"
        );
    }

    #[test]
    fn figures_of_a_shard_that_is_let_go_are_shown_no_more() {
        let metrics = Metrics::new().unwrap();
        let shard = Shard { kind: metering::ShardKind::Accounts, number: 3 };
        let caps = Caps { events: 1, credits: 1, age_ms: 1 };
        metrics.certified(shard, true);
        metrics.backlog(shard, caps, caps);
        metrics.redis_unsafe(shard, true);
        let shown = || {
            let families = metrics.registry.gather();
            let all = families.iter().flat_map(prometheus::proto::MetricFamily::get_metric);
            all.filter(|metric| metric.get_label().iter().any(|label| label.value() == "s003")).count()
        };
        assert_eq!(shown(), 6);
        metrics.let_go(shard);
        assert_eq!(shown(), 0);
    }
}
