//! Every query of every rule and panel, asked of a Prometheus that has scraped a real house.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::ask::{Prometheus, Rule};
use super::runbooks;
use crate::files::with_ending;
use crate::layout::Layout;
use crate::{process, words};

/// What only shows once something rare has happened, or where something is set up that this house has not; it stands in the sources all the same.
const RARE: [&str; 4] = [
    // Callers connect without TLS here.
    "tollgate_gateway_certificate_expires_timestamp_seconds",
    // Nothing is put off or parked.
    "tollgate_webhook_postponed_total",
    "tollgate_webhook_parked_total",
    // Shards are installed before anybody looks.
    "tollgate_sync_install_percent",
];
/// What a panel's rates look back for; scrapes come every second here.
const RATE_INTERVAL: &str = "1m";
/// Figures of the first scrapes may lack something that comes a moment later.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// A query, and whose it is.
struct Query {
    place: String,
    text: String,
}

pub fn check(layout: &Layout, prometheus: &Prometheus) -> Result<()> {
    let rules = prometheus.rules()?;
    let panels = of_dashboards(&layout.root)?;
    let mut complaints = Vec::new();
    let answered = process::wait_until(LIMIT, || {
        complaints = complaints_about(prometheus, &rules, &panels);
        complaints.is_empty()
    });
    ensure!(answered, "queries that are not as they should be:\n    {}", complaints.join("\n    "));
    let unknown: Vec<&str> = RARE.into_iter().filter(|name| !is_in_the_sources(&layout.root, name)).collect();
    ensure!(unknown.is_empty(), "no program counts {}", unknown.join(", "));
    words::note(&format!("{} rules and {} queries of panels are answered", rules.len(), panels.len()));
    Ok(())
}

fn complaints_about(prometheus: &Prometheus, rules: &[Rule], panels: &[Query]) -> Vec<String> {
    let known = match prometheus.metrics() {
        Ok(known) => known,
        Err(error) => return vec![format!("{error:#}")],
    };
    let mut found: Vec<String> = rules.iter().flat_map(|rule| about_rule(prometheus, rule, &known)).collect();
    for query in panels {
        found.extend(about_metrics(&query.place, &query.text, &known));
        found.extend(about_answer(prometheus, query));
    }
    found
}

fn about_rule(prometheus: &Prometheus, rule: &Rule, known: &BTreeSet<String>) -> Vec<String> {
    let mut found = about_metrics(&rule.name, &rule.query, known);
    if rule.health != "ok" {
        found.push(format!("{} is {}: {}", rule.name, rule.health, rule.error));
    }
    if rule.is_alert() {
        found.extend(runbooks::about_alert(rule));
        // What it waits for is not there in a house where all is well; that it can be asked is what counts.
        found.extend(prometheus.query(&rule.query).err().map(|error| format!("{}: {error:#}", rule.name)));
    } else {
        let query = Query { place: rule.name.clone(), text: rule.name.clone() };
        found.extend(about_answer(prometheus, &query));
    }
    found
}

/// Each metric that is named has to be there, so that no typing error makes an alert that never fires.
fn about_metrics(place: &str, query: &str, known: &BTreeSet<String>) -> Vec<String> {
    let absent = metrics_of(query).into_iter().filter(|name| !known.contains(*name) && !RARE.contains(name));
    absent.map(|name| format!("{place} asks for {name}, which nobody has")).collect()
}

/// Its answer must hold something.
fn about_answer(prometheus: &Prometheus, query: &Query) -> Option<String> {
    let rare = metrics_of(&query.text).iter().any(|name| RARE.contains(name));
    match prometheus.query(&query.text) {
        Err(error) => Some(format!("{}: {error:#}", query.place)),
        Ok(0) if !rare => Some(format!("{} shows nothing: {}", query.place, query.text)),
        Ok(_) => None,
    }
}

/// Every metric that a query names: ours, those of a process, and those that rules record.
fn metrics_of(query: &str) -> BTreeSet<&str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    // What stands in quotes are values of labels.
    let outside = query.split('"').step_by(2);
    let names = outside.flat_map(move |part| part.split(move |letter| !is_name(letter)));
    names
        .filter(|name| ["tollgate_", "process_"].iter().any(|ours| name.starts_with(ours)) || is_recorded(name))
        .collect()
}

fn is_recorded(name: &str) -> bool {
    name.split(':').count() == 3 && name.starts_with(|letter: char| letter.is_ascii_lowercase())
}

/// The queries of every panel of every dashboard.
fn of_dashboards(root: &Path) -> Result<Vec<Query>> {
    let mut found = Vec::new();
    for path in with_ending(&root.join("deploy/grafana/dashboards"), "json")? {
        let dashboard = read(&path)?;
        let name = dashboard["title"].as_str().context("a dashboard has a title")?.to_owned();
        for panel in dashboard["panels"].as_array().into_iter().flatten() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let text = target["expr"].as_str().with_context(|| format!("a query of {name}"))?;
                let title = panel["title"].as_str().unwrap_or("a panel without a title");
                let text = text.replace("$__rate_interval", RATE_INTERVAL);
                found.push(Query { place: format!("{name}: {title}"), text });
            }
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// Whether a metric stands in the sources of the program whose it is.
fn is_in_the_sources(root: &Path, metric: &str) -> bool {
    let programs = [("gateway", "gateway"), ("sync", "ledger-sync"), ("webhook", "webhook")];
    programs.iter().any(|(prefix, program)| {
        let short = metric.strip_prefix(&format!("tollgate_{prefix}_"));
        short.is_some_and(|short| holds(&root.join(program).join("src"), &format!("\"{short}\"")))
    })
}

fn holds(directory: &Path, text: &str) -> bool {
    fs::read_dir(directory).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() { holds(&path, text) } else { fs::read_to_string(&path).is_ok_and(|read| read.contains(text)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn the_metrics_of_a_query_are_found_and_its_labels_are_not() {
        let query = "sum by (code) (rate(tollgate_gateway_rejections_total{code=~\"tollgate_x|a:b:c\"}[5m])) / gateway:a:ratio_rate5m and process_cpu_seconds_total";
        let names: Vec<&str> = metrics_of(query).into_iter().collect();
        assert_eq!(names, ["gateway:a:ratio_rate5m", "process_cpu_seconds_total", "tollgate_gateway_rejections_total"]);
    }

    #[test]
    fn what_is_called_rare_stands_in_the_sources_and_what_does_not_is_noticed() {
        for name in RARE {
            assert!(is_in_the_sources(root(), name), "{name}");
        }
        assert!(!is_in_the_sources(root(), "tollgate_gateway_nobody_counts_this_total"));
    }

    #[test]
    fn every_panel_says_what_it_shows_in_which_unit_and_asks_something() {
        let paths = with_ending(&root().join("deploy/grafana/dashboards"), "json").unwrap();
        assert!(paths.len() >= 4);
        let mut uids = BTreeSet::new();
        for path in paths {
            let dashboard = read(&path).unwrap();
            assert!(uids.insert(dashboard["uid"].as_str().unwrap().to_owned()), "{} has another's uid", path.display());
            let panels = dashboard["panels"].as_array().unwrap();
            let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
            assert_eq!(ids.len(), panels.len(), "{}", path.display());
            for panel in panels.iter().filter(|panel| panel["type"] != "row") {
                let title = panel["title"].as_str().unwrap();
                assert!(panel["description"].as_str().is_some_and(|text| text.len() > 10), "{title}");
                assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
                assert!(!panel["targets"].as_array().unwrap().is_empty(), "{title}");
            }
        }
    }
}
