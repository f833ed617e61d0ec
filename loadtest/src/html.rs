//! What a run found as one page that needs nothing else: tables, and plots as inline SVG.

mod plot;

use anyhow::{Context, Result};
use askama::Template;

use crate::record::Second;
use crate::spread::Spread;
use crate::summary::Summary;
use plot::{Plot, Scale, Series};

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    summary: &'a Summary,
    targets: String,
    rows: Vec<Row<'a>>,
    plots: Vec<Plot>,
    processes: Vec<[String; 5]>,
}

/// A line of the table of latencies.
struct Row<'a> {
    name: &'a str,
    calls: u64,
    /// Served and failed; none where it is no kind of call.
    ends: Option<(u64, u64)>,
    ms: [String; 5],
}

pub fn page(summary: &Summary) -> Result<String> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (name, figures) in &summary.kinds {
        rows.push(row(name, Some((figures.served, figures.failed)), figures.calls, &figures.latency_us));
    }
    rows.push(row("all", Some((summary.all.served, summary.all.failed)), summary.all.calls, &summary.all.latency_us));
    rows.push(row("sent late", None, summary.late_us.count, &summary.late_us));
    if let Some(streams) = &summary.streams {
        rows.push(row("between events", None, streams.gaps_us.count, &streams.gaps_us));
    }
    let seconds = whole_seconds(&summary.over_time);
    let plots = vec![by_percentile(summary), waiting(seconds), answered(seconds)];
    let page = Page { summary, targets: summary.targets.join(", "), rows, plots, processes: processes(summary) };
    page.render().context("writing the page")
}

/// The last second is a part of one, and would look like a fall.
fn whole_seconds(seconds: &[Second]) -> &[Second] {
    match seconds {
        [whole @ .., _] if !whole.is_empty() => whole,
        all => all,
    }
}

fn row<'a>(name: &'a str, ends: Option<(u64, u64)>, calls: u64, spread: &Spread) -> Row<'a> {
    let ms = [spread.p50, spread.p90, spread.p99, spread.p999, spread.max].map(ms);
    Row { name, calls, ends, ms }
}

fn ms(us: f64) -> String {
    format!("{:.3}", us / 1_000.0)
}

/// How many were slower: the axis counts nines.
fn by_percentile(summary: &Summary) -> Plot {
    let nines = |percent: f64| -(1.0 - percent / 100.0).log10();
    let series = |name: &str, curve: &[(f64, f64)]| {
        let points = curve.iter().map(|(percent, us)| (nines(*percent), us / 1_000.0)).collect();
        Series { name: name.to_owned(), points }
    };
    let mut all: Vec<Series> = summary.kinds.iter().map(|(name, figures)| series(name, &figures.curve)).collect();
    if all.len() > 1 {
        all.push(series("all", &summary.all.curve));
    }
    let ticks =
        [(50.0, "50 %"), (90.0, "90 %"), (99.0, "99 %"), (99.9, "99.9 %"), (99.99, "99.99 %"), (99.999, "99.999 %")];
    let ticks = ticks.map(|(percent, label)| (nines(percent), label.to_owned()));
    Plot::new("Latency by percentile, ms", &ticks, Scale::Logarithmic, all)
}

fn waiting(seconds: &[Second]) -> Plot {
    let series = |name: &str, of: fn(&Second) -> f64| Series { name: name.to_owned(), points: points(seconds, of) };
    let all = vec![
        series("p50", |second| second.p50_us / 1_000.0),
        series("p99", |second| second.p99_us / 1_000.0),
        series("slowest", |second| second.max_us / 1_000.0),
    ];
    Plot::new("Latency over time, ms", &seconds_ticks(seconds), Scale::Logarithmic, all)
}

#[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls in a second")]
fn answered(seconds: &[Second]) -> Plot {
    let calls = points(seconds, |second| second.calls as f64);
    let failed = points(seconds, |second| second.failed as f64);
    let all =
        vec![Series { name: "calls".to_owned(), points: calls }, Series { name: "errors".to_owned(), points: failed }];
    Plot::new("Calls a second that came to an end", &seconds_ticks(seconds), Scale::Linear, all)
}

#[expect(clippy::cast_precision_loss, reason = "a run is no 2^52 seconds long")]
fn points(seconds: &[Second], of: fn(&Second) -> f64) -> Vec<(f64, f64)> {
    seconds.iter().enumerate().map(|(number, second)| (number as f64, of(second))).collect()
}

/// At most ten, each a round number of seconds.
#[expect(clippy::cast_precision_loss, reason = "a run is no 2^52 seconds long")]
fn seconds_ticks(seconds: &[Second]) -> Vec<(f64, String)> {
    let step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];
    let step = step.into_iter().find(|step| seconds.len() / step <= 10).unwrap_or(7_200);
    (0..seconds.len()).step_by(step).map(|second| (second as f64, format!("{second} s"))).collect()
}

fn processes(summary: &Summary) -> Vec<[String; 5]> {
    let number = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| format!("{value:.1}"));
    #[expect(clippy::cast_precision_loss, reason = "memory is shown to a tenth of a MiB")]
    let mib = |bytes: Option<u64>| number(bytes.map(|bytes| bytes as f64 / 1_048_576.0));
    let cells = |process: &crate::watch::ProcessFigures| {
        let memory = [process.rss_begin_bytes, process.rss_end_bytes, process.rss_max_bytes].map(mib);
        let [begin, end, most] = memory;
        [process.name.clone(), number(process.cpu_us_per_call), begin, end, most]
    };
    summary.watched.processes.iter().map(cells).collect()
}
