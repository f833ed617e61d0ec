//! What services say of themselves: their metrics, as Prometheus reads them, before and after.

use std::collections::BTreeMap;

use serde::Serialize;

/// How long debits took, as the gateway saw it.
const DEBIT_SECONDS: &str = "tollgate_gateway_debit_duration_seconds";
/// Events that are not in the book yet.
pub const BACKLOG: &str = "tollgate_sync_backlog_events";

/// Values by name, with their labels as they are written.
#[derive(Clone, Debug, Default)]
pub struct Scrape(BTreeMap<String, f64>);

/// Debits of a run, µs. A percentile is read between the bounds of a bucket, so it is about right.
#[derive(Clone, Debug, Serialize)]
pub struct Debits {
    pub count: f64,
    pub mean_us: f64,
    pub p50_us: f64,
    pub p99_us: f64,
}

impl Scrape {
    pub fn read(text: &str) -> Scrape {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Scrape(
            lines
                .filter_map(|line| line.rsplit_once(' '))
                .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
                .collect(),
        )
    }

    /// What it counts under this name, whatever the labels; none where it has no such metric.
    pub fn sum(&self, name: &str) -> Option<f64> {
        let mut values = self.named(name).peekable();
        values.peek()?;
        Some(values.map(|(_, value)| value).sum())
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.range(name.to_owned()..).take_while(move |(full, _)| full.starts_with(name)).filter_map(
            move |(full, value)| {
                let labels = &full[name.len()..];
                (labels.is_empty() || labels.starts_with('{')).then_some((labels, *value))
            },
        )
    }

    /// The debits since `before`; none where there were none.
    pub fn debits_since(&self, before: &Scrape) -> Option<Debits> {
        let grown = |name: &str| Some(self.sum(name)? - before.sum(name).unwrap_or(0.0));
        let count = grown(&format!("{DEBIT_SECONDS}_count"))?;
        if count <= 0.0 {
            return None;
        }
        let buckets = self.buckets_since(before);
        Some(Debits {
            count,
            mean_us: grown(&format!("{DEBIT_SECONDS}_sum"))? / count * 1e6,
            p50_us: percentile(&buckets, 0.5) * 1e6,
            p99_us: percentile(&buckets, 0.99) * 1e6,
        })
    }

    /// How many took at most so long, shortest first.
    fn buckets_since(&self, before: &Scrape) -> Vec<(f64, f64)> {
        let name = format!("{DEBIT_SECONDS}_bucket");
        let bound = |labels: &str| labels.split("le=\"").nth(1)?.split('"').next()?.replace("+Inf", "inf").parse().ok();
        let mut buckets: Vec<(f64, f64)> = self
            .named(&name)
            .filter_map(|(labels, count)| {
                let was = before.0.get(&format!("{name}{labels}")).copied().unwrap_or(0.0);
                Some((bound(labels)?, count - was))
            })
            .collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        buckets
    }
}

/// As Prometheus reads one from a histogram: evenly spread within a bucket; beyond the last bound it is that bound.
fn percentile(buckets: &[(f64, f64)], part: f64) -> f64 {
    let wanted = buckets.last().map_or(0.0, |(_, count)| count * part);
    let (mut below, mut counted) = (0.0, 0.0);
    for &(bound, count) in buckets {
        if count >= wanted {
            let inside = count - counted;
            let share = if inside > 0.0 { (wanted - counted) / inside } else { 1.0 };
            return if bound.is_finite() { below + (bound - below) * share } else { below };
        }
        (below, counted) = (bound, count);
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# HELP x Words.\ntollgate_sync_backlog_events{shard=\"1\"} 3\ntollgate_sync_backlog_events{shard=\"2\"} 4\n\
        tollgate_sync_backlog_events_other 100\n";

    #[test]
    fn a_metric_is_summed_over_its_labels_and_over_nothing_else() {
        let scrape = Scrape::read(BEFORE);
        assert_eq!(scrape.sum(BACKLOG), Some(7.0));
        assert_eq!(scrape.sum("tollgate_sync_backlog"), None);
        assert!(scrape.debits_since(&Scrape::default()).is_none());
    }

    #[test]
    fn debits_are_those_between_two_looks() {
        let debits = |fast: u32, slow: u32, sum: f64| {
            let all = fast + slow;
            Scrape::read(&format!(
                "{DEBIT_SECONDS}_bucket{{le=\"0.001\"}} {fast}\n{DEBIT_SECONDS}_bucket{{le=\"0.01\"}} {all}\n\
                 {DEBIT_SECONDS}_bucket{{le=\"+Inf\"}} {all}\n{DEBIT_SECONDS}_sum {sum}\n{DEBIT_SECONDS}_count {all}\n"
            ))
        };
        let found = debits(190, 20, 0.2).debits_since(&debits(100, 10, 0.1)).unwrap();
        assert!((found.count - 100.0).abs() < 1e-9 && (found.mean_us - 1_000.0).abs() < 1e-6);
        // 50 of the 90 fast ones, evenly spread up to 1 ms; 9 of the 10 slow ones, between 1 and 10 ms.
        assert!((found.p50_us - 1e3 * 50.0 / 90.0).abs() < 1.0, "{found:?}");
        assert!((found.p99_us - (1e3 + 9e3 * 0.9)).abs() < 1.0, "{found:?}");
    }

    #[test]
    fn what_took_longer_than_the_last_bound_took_at_least_that() {
        let buckets = [(0.001, 1.0), (f64::INFINITY, 10.0)];
        assert!((percentile(&buckets, 0.99) - 0.001).abs() < 1e-12);
    }
}
