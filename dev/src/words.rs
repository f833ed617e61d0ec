//! What the launcher says: progress and failures on stderr, so that stdout holds only the result.

use std::io::{IsTerminal, Write};
use std::path::Path;

/// How many lines of a log are shown when the program behind it fails.
const TAIL_LINES: usize = 15;

/// One step of the work, said before it starts.
pub fn step(what: &str) {
    let mut err = std::io::stderr().lock();
    // A closed stderr is no reason to stop the work.
    let _ = if err.is_terminal() { writeln!(err, "\x1b[1m==>\x1b[0m {what}") } else { writeln!(err, "==> {what}") };
}

/// A remark that belongs to the step before.
pub fn note(what: &str) {
    let _ = writeln!(std::io::stderr().lock(), "    {what}");
}

/// The end of a run that failed: the chain of causes, once.
pub fn failure(err: &anyhow::Error) {
    let _ = writeln!(std::io::stderr().lock(), "error: {err:#}");
}

/// Where to read on, and the last lines of it.
pub fn log_tail(log: &Path) -> String {
    // The text may hold anything a program printed, so it need not be UTF-8.
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    if tail.is_empty() {
        return format!("its log {} is empty", log.display());
    }
    format!("read {}; it ends with\n    {}", log.display(), tail.join("\n    "))
}
