//! The table for people.

use std::fmt::Write;

use crate::balances::Wrong;
use crate::scrape::Debits;
use crate::spread::Spread;
use crate::summary::{Figures, Summary};
use crate::watch::Watched;

pub fn text(summary: &Summary) -> String {
    let mut text = String::new();
    let rate = summary.rate.as_ref().map_or_else(|| "as fast as answered".to_owned(), |rate| format!("{rate} calls/s"));
    let _ = writeln!(
        text,
        "{rate}, {} arrivals, {} connections, {:.1} s: {:.0} calls/s",
        summary.arrivals, summary.connections, summary.seconds, summary.per_second
    ); // a String takes all
    let _ = writeln!(
        text,
        "\n{:<10}{:>10}{:>10}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "", "calls", "2xx", "errors", "p50 ms", "p90", "p99", "p99.9", "max"
    );
    for (name, figures) in &summary.kinds {
        row(&mut text, name, figures.calls, Some(figures), &figures.latency_us);
    }
    if summary.kinds.len() > 1 {
        row(&mut text, "all", summary.all.calls, Some(&summary.all), &summary.all.latency_us);
    }
    row(&mut text, "sent late", summary.late_us.count, None, &summary.late_us);
    if let Some(streams) = &summary.streams {
        row(&mut text, "event gap", streams.gaps_us.count, None, &streams.gaps_us);
        let _ = writeln!(text, "\n{} streams whole, {} broken off", streams.whole, streams.broken);
    }
    let _ = writeln!(text, "\nanswers");
    for (label, count) in &summary.all.answers {
        let _ = writeln!(text, "  {label:<30}{count:>10}");
    }
    let _ = writeln!(text, "  {:<30}{:>10}", "credits, as callers were told", summary.all.credits);
    watched(&mut text, &summary.watched);
    if let Some(balances) = &summary.balances {
        let (accounts, wrong) = (balances.accounts, balances.wrong.len());
        let _ = writeln!(text, "\n{accounts} accounts asked, {} unsure, {wrong} wrong", balances.unsure);
        for Wrong { account, before, after, told } in &balances.wrong {
            let _ = writeln!(text, "  WRONG {account}: {before} before, {after} after, {told} told");
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn watched(text: &mut String, watched: &Watched) {
    let number = |value: Option<f64>| value.map_or_else(|| "gone".to_owned(), |value| format!("{value:.1}"));
    #[expect(clippy::cast_precision_loss, reason = "memory is shown to a tenth of a MiB")]
    let mib = |bytes: Option<u64>| number(bytes.map(|bytes| bytes as f64 / 1_048_576.0));
    if !watched.processes.is_empty() {
        let _ = writeln!(text, "\n{:<20}{:>14}{:>14}{:>10}{:>10}", "", "CPU µs/call", "MiB begin", "end", "most");
    }
    for process in &watched.processes {
        let [begin, end, most] = [process.rss_begin_bytes, process.rss_end_bytes, process.rss_max_bytes].map(mib);
        let cpu = number(process.cpu_us_per_call);
        let _ = writeln!(text, "{:<20}{cpu:>14}{begin:>14}{end:>10}{most:>10}", process.name);
    }
    if let Some(Debits { count, p50_us, p99_us, .. }) = watched.debits {
        let _ = writeln!(text, "\n{count} debits as the gateway saw them: p50 {p50_us:.0} µs, p99 {p99_us:.0} µs");
    }
    if let Some(most) = watched.backlog_max {
        let _ = writeln!(text, "at most {most} events waited for the book");
    }
}

fn row(text: &mut String, name: &str, calls: u64, figures: Option<&Figures>, spread: &Spread) {
    let (served, failed) =
        figures.map_or_else(Default::default, |figures| (figures.served.to_string(), figures.failed.to_string()));
    let _ = write!(text, "{name:<10}{calls:>10}{served:>10}{failed:>9}");
    for us in [spread.p50, spread.p90, spread.p99, spread.p999, spread.max] {
        let _ = write!(text, "{:>10.3}", us / 1_000.0);
    }
    text.push('\n');
}
