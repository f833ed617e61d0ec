//! Alerts and runbooks belong together: each alert has one, each runbook an alert, and whatever a runbook tells people to type exists.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::ask::Rule;
use crate::files::with_ending;
use crate::layout::Layout;
use crate::words;

const SEVERITIES: [&str; 2] = ["page", "ticket"];

/// What a loaded alert lacks.
pub fn about_alert(rule: &Rule) -> Vec<String> {
    let name = &rule.name;
    let mut found = Vec::new();
    if !rule.labels["severity"].as_str().is_some_and(|severity| SEVERITIES.contains(&severity)) {
        found.push(format!("{name} has no severity"));
    }
    for annotation in ["summary", "description"] {
        if rule.annotations[annotation].as_str().is_none_or(str::is_empty) {
            found.push(format!("{name} has no {annotation}"));
        }
    }
    let ending = format!("/{name}.md");
    if !rule.annotations["runbook_url"].as_str().is_some_and(|url| url.ends_with(&ending)) {
        found.push(format!("{name} does not lead to its runbook"));
    }
    found
}

/// Asks `tollgate` for each command and option that a runbook names.
pub fn check_commands(layout: &Layout) -> Result<()> {
    let program = layout.program("tollgate", false);
    let mut complaints = Vec::new();
    let commands = commands(&layout.root)?;
    for (place, line) in &commands {
        complaints.extend(about_command(&program, line)?.map(|what| format!("{place}: {line}: {what}")));
    }
    ensure!(complaints.is_empty(), "runbooks name what is not there:\n    {}", complaints.join("\n    "));
    words::note(&format!("{} commands of runbooks exist", commands.len()));
    Ok(())
}

/// What is wrong with a line that people are to type.
fn about_command(program: &Path, line: &str) -> Result<Option<String>> {
    let (words, options) = parts(line);
    let output = Command::new(program).args(&words).arg("--help").output().context("starting tollgate")?;
    let help = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !help.contains(&format!("Usage: tollgate {}", words.join(" "))) {
        return Ok(Some("there is no such command".to_owned()));
    }
    let missing = options.into_iter().find(|option| !help.contains(option.as_str()));
    Ok(missing.map(|option| format!("it has no {option}")))
}

/// The words of a command and its options; in capitals stands what people fill in.
fn parts(line: &str) -> (Vec<&str>, Vec<String>) {
    let mut words = line.split_whitespace().skip(1);
    let is_word =
        |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-') && !word.starts_with('-');
    let command: Vec<&str> = words.by_ref().take_while(is_word).collect();
    let options = line.split_whitespace().filter(|word| word.starts_with("--")).map(str::to_owned).collect();
    (command, options)
}

/// Every line of a runbook that begins with `tollgate`, in its blocks and between its words.
fn commands(root: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for path in with_ending(&root.join("deploy/runbooks"), "md")? {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let place = name_of(&path);
        let blocks = text.lines().filter_map(|line| line.strip_prefix("    "));
        let inline = text.split('`').skip(1).step_by(2);
        let typed = blocks.chain(inline).filter(|typed| typed.starts_with("tollgate "));
        found.extend(typed.map(|typed| (place.clone(), typed.split("  #").next().unwrap_or(typed).trim().to_owned())));
    }
    Ok(found)
}

fn name_of(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PARTS: [&str; 5] =
        ["## What it means", "## What callers see", "## Look first", "## What to do", "## When it is over"];

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    /// The names behind a word at the beginning of a line, in every file of a directory.
    fn named(directory: &Path, word: &str) -> BTreeSet<String> {
        let texts = with_ending(directory, "yml").unwrap().into_iter().map(|path| fs::read_to_string(path).unwrap());
        let names = texts.flat_map(|text| {
            text.lines().filter_map(|line| line.trim_start().strip_prefix(word)).map(str::to_owned).collect::<Vec<_>>()
        });
        names.collect()
    }

    /// Alerts that have no story in which they fire, or none in which they keep still.
    fn untested(root: &Path) -> Vec<String> {
        let (mut fire, mut still) = (BTreeSet::new(), BTreeSet::new());
        for path in with_ending(&root.join("deploy/prometheus/tests"), "yml").unwrap() {
            let text = fs::read_to_string(path).unwrap();
            for asked in text.split("alertname: ").skip(1) {
                let (name, expected) = asked.split_once('\n').unwrap();
                let none = expected.trim_start().starts_with("exp_alerts: []");
                if none { &mut still } else { &mut fire }.insert(name.to_owned());
            }
        }
        let alerts = named(&root.join("deploy/prometheus/rules"), "- alert: ");
        alerts.into_iter().filter(|alert| !fire.contains(alert) || !still.contains(alert)).collect()
    }

    #[test]
    fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
        let alerts = named(&root().join("deploy/prometheus/rules"), "- alert: ");
        let runbooks = with_ending(&root().join("deploy/runbooks"), "md").unwrap();
        let runbooks: BTreeSet<String> =
            runbooks.iter().map(|path| name_of(path)).filter(|name| name != "README").collect();
        assert_eq!(alerts, runbooks);
        let list = fs::read_to_string(root().join("deploy/runbooks/README.md")).unwrap();
        for alert in &alerts {
            assert!(list.contains(&format!("[{alert}]({alert}.md)")), "{alert} is not in the list of runbooks");
        }
    }

    #[test]
    fn every_runbook_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over() {
        for path in with_ending(&root().join("deploy/runbooks"), "md").unwrap() {
            let (name, text) = (name_of(&path), fs::read_to_string(&path).unwrap());
            if name == "README" {
                continue;
            }
            assert!(text.starts_with(&format!("# {name}\n")), "{name} does not begin with its name");
            let mut rest = text.as_str();
            for part in PARTS {
                let (_, behind) =
                    rest.split_once(part).unwrap_or_else(|| panic!("{name} lacks {part}, or has it elsewhere"));
                assert!(behind.lines().nth(2).is_some_and(|line| line.len() > 10), "{name} says nothing under {part}");
                rest = behind;
            }
        }
    }

    #[test]
    fn every_alert_has_a_story_in_which_it_fires_and_one_in_which_it_keeps_still() {
        assert_eq!(untested(root()), [""; 0]);
    }

    #[test]
    fn a_typed_line_is_a_command_and_its_options() {
        let (words, options) = parts("tollgate stripe events replay EVENT --reason WHY");
        assert_eq!((words.join(" "), options), ("stripe events replay".to_owned(), vec!["--reason".to_owned()]));
        let (words, options) = parts("tollgate verify");
        assert_eq!((words, options), (vec!["verify"], Vec::new()));
    }

    #[test]
    fn an_alert_that_lacks_anything_is_complained_about() {
        let rule = |text: &str| serde_json::from_str::<Rule>(text).unwrap();
        let good = rule(
            r#"{"name":"A","query":"up == 0","type":"alerting","health":"ok","labels":{"severity":"page"},
                "annotations":{"summary":"s","description":"d","runbook_url":"https://x/A.md"}}"#,
        );
        assert_eq!(about_alert(&good), [""; 0]);
        let bad = rule(
            r#"{"name":"A","query":"up == 0","type":"alerting","health":"ok","labels":{"severity":"critical"},
                "annotations":{"summary":"","runbook_url":"https://x/B.md"}}"#,
        );
        assert_eq!(about_alert(&bad).len(), 4);
    }
}
