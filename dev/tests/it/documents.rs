//! What the documents about security and sizing name is there: files, tests, pages, commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const THREATS: &str = "docs/threat-model.md";
const DOCUMENTS: [&str; 3] = ["SECURITY.md", THREATS, "docs/sizing.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// The cells of each row that tells of a threat.
fn threats(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let letters = cells.len() == 5 && !cells[0].is_empty() && cells[0].chars().all(|of| "STRIDE ".contains(of));
        letters.then_some(cells)
    })
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_a_test_of(source: &str, name: &str) -> bool {
    let Some((before, _)) = source.split_once(&format!("fn {name}(")) else { return false };
    let marked = before.trim_end().trim_end_matches("async").trim_end();
    marked.ends_with("#[test]")
        || marked.rsplit('\n').next().is_some_and(|line| line.trim().starts_with("#[tokio::test"))
}

#[test]
fn each_threat_names_files_and_tests_that_are_there() {
    let text = text(THREATS);
    let mut rows = 0;
    for cells in threats(&text) {
        rows += 1;
        let (threat, shown) = (cells[1], cells[3]);
        let mut source: Option<(&str, String)> = None;
        for word in quoted(shown) {
            let file = root().join(word);
            if word.contains(['/', '.']) {
                assert!(file.is_file(), "{threat}: there is no {word}");
                source = Some((word, fs::read_to_string(file).unwrap()));
            } else {
                let (file, source) = source.as_ref().unwrap_or_else(|| panic!("{threat}: no file before {word}"));
                assert!(is_a_test_of(source, word), "{threat}: {file} has no test {word}");
            }
        }
        assert!(source.is_some(), "{threat}: nothing shows what stands against it");
    }
    assert!(rows > 50, "only {rows} rows were taken for threats");
}

#[test]
fn links_lead_to_files() {
    for document in DOCUMENTS {
        let text = text(document);
        let place = root().join(document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let there = link.starts_with("https://") || place.parent().unwrap().join(file).exists();
            assert!(there, "{document}: {link} leads nowhere");
        }
    }
}

#[test]
fn commands_of_the_launcher_are_there_with_their_options() {
    for document in DOCUMENTS {
        let text = text(document);
        for said in text.split("cargo dev ").skip(1) {
            let line = said.split(['`', '\n', '#']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(command) = words.next().filter(|word| word.chars().all(|of| of.is_ascii_lowercase())) else {
                continue;
            };
            let help = Command::new(env!("CARGO_BIN_EXE_dev")).args([command, "--help"]).output().unwrap();
            let help = String::from_utf8_lossy(&help.stdout).into_owned();
            assert!(help.contains(&format!("cargo dev {command}")), "{document}: there is no cargo dev {command}");
            for option in words.filter(|word| word.starts_with("--")) {
                assert!(help.contains(option), "{document}: cargo dev {command} takes no {option}");
            }
        }
    }
}
