//! The measure of the house: how long files may be, what they may not be called, and how each begins.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::words;

const LINES_MAX: usize = 500;
const MEDIAN_MAX: usize = 120;
const P95_MAX: usize = 370;
/// The life of one request stands on one page.
const STORY: (&str, usize) = ("gateway/src/proxy.rs", 160);
/// A name that says nothing about what lives there.
const DRAWERS: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "misc"];
const LEFT_OUT: [&str; 3] = ["target", ".dev", ".git"];

struct Source {
    /// Relative to the workspace.
    path: PathBuf,
    text: String,
}

pub fn check(layout: &Layout) -> Result<()> {
    words::step("house limits");
    let mut sources = Vec::new();
    collect(&layout.root, &layout.root, &mut sources)?;
    let complaints = complaints(&sources);
    if !complaints.is_empty() {
        bail!("the house's limits are passed:\n    {}", complaints.join("\n    "));
    }
    let (median, p95) = spread(&sources);
    words::note(&format!("{} files, median {median} lines, 95 % within {p95}", sources.len()));
    Ok(())
}

fn collect(root: &Path, dir: &Path, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let entry = entry.context("reading a directory")?;
        let path = entry.path();
        if entry.file_type().context("reading a file's type")?.is_dir() {
            if !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                collect(root, &path, sources)?;
            }
        } else if path.extension().is_some_and(|kind| ["rs", "lua", "sql", "sh"].iter().any(|known| kind == *known)) {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            sources.push(Source { path: path.strip_prefix(root).unwrap_or(&path).to_owned(), text });
        }
    }
    Ok(())
}

fn complaints(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let path = source.path.display();
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            found.push(format!("{path} has {lines} lines, more than {LINES_MAX}: split it by subject"));
        }
        if source.path == Path::new(STORY.0) && lines > STORY.1 {
            found.push(format!("{path} has {lines} lines, more than {}: a step's work belongs to its step", STORY.1));
        }
        if source.path.with_extension("").iter().any(|part| DRAWERS.iter().any(|drawer| part == *drawer)) {
            found.push(format!("{path}: a drawer without a subject; name what lives there"));
        }
        if is_rust(source) && !source.text.starts_with("//!") {
            found.push(format!("{path} does not open with a //! sentence that says its subject"));
        }
    }
    let (median, p95) = spread(sources);
    if median > MEDIAN_MAX || p95 > P95_MAX {
        found.push(format!(
            "files have {median} lines in the median and {p95} at 95 %, more than {MEDIAN_MAX} and {P95_MAX}"
        ));
    }
    found
}

/// The median and the 95th percentile of the lines of Rust files.
fn spread(sources: &[Source]) -> (usize, usize) {
    let mut lines: Vec<usize> =
        sources.iter().filter(|source| is_rust(source)).map(|source| source.text.lines().count()).collect();
    lines.sort_unstable();
    let at = |percent: usize| lines.get((lines.len() * percent / 100).min(lines.len().saturating_sub(1))).copied();
    (at(50).unwrap_or(0), at(95).unwrap_or(0))
}

fn is_rust(source: &Source) -> bool {
    source.path.extension().is_some_and(|kind| kind == "rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, lines: usize) -> Source {
        Source { path: path.into(), text: "//! A subject.\n".repeat(lines) }
    }

    #[test]
    fn a_tidy_house_has_no_complaints() {
        let house = [source("a/src/x.rs", 80), source("a/src/y.rs", 100), source("gateway/src/proxy.rs", 160)];
        assert_eq!(complaints(&house), [""; 0]);
    }

    #[test]
    fn each_limit_is_seen_when_passed() {
        for (path, lines, word) in [
            ("a/src/x.lua", 501, "split it"),
            ("gateway/src/proxy.rs", 161, "its step"),
            ("a/src/helpers.rs", 1, "drawer"),
            ("a/src/common/x.rs", 1, "drawer"),
            ("a/src/x.rs", 371, "95 %"),
            ("a/src/x.rs", 121, "median"),
        ] {
            let said = complaints(&[source(path, lines)]).join(";");
            assert!(said.contains(word), "{path} with {lines} lines: {said:?}");
        }
        let plain = Source { path: "a/tests/it/x.rs".into(), text: "fn main() {}\n".to_owned() };
        assert!(complaints(&[plain]).concat().contains("//!"));
    }
}
