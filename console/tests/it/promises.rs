//! The table of promises in the README: each has a test, and the test is there.

use std::collections::BTreeSet;
use std::path::Path;

const README: &str = include_str!("../../README.md");

/// File and name of each test that a row names.
fn tests_of(row: &str) -> Vec<(&str, &str)> {
    let quoted: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
    assert!(quoted.len().is_multiple_of(2), "a file and a name, each: {row}");
    quoted.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

#[test]
fn every_promise_of_the_brief_is_shown_by_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut promises = BTreeSet::new();
    for row in README.lines().filter(|line| line.starts_with("| B")) {
        let number = row.split('|').nth(1).unwrap().trim().trim_start_matches('B');
        assert!(promises.insert(number.parse::<u32>().unwrap()), "twice: {row}");
        let tests = tests_of(row);
        assert!(!tests.is_empty(), "{row}");
        for (file, name) in tests {
            let source = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            let (before, _) = source.split_once(&format!("fn {name}(")).unwrap_or_else(|| panic!("{file}: no {name}"));
            let marked = before.trim_end().trim_end_matches("async").trim_end();
            assert!(marked.ends_with("#[tokio::test]") || marked.ends_with("#[test]"), "{file}: {name} is no test");
        }
    }
    assert_eq!(promises, (1..=18).collect());
}
