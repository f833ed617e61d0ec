//! `cargo dev fuzz`: inputs of chance for whatever reads bytes, led by the code that they reach.
//!
//! libFuzzer, with the stable compiler: `fuzz/counting_rustc` makes our own crates count what is reached, and everything else is
//! taken from the usual build.

use std::fs::{self, File};
use std::panic::resume_unwind;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::{build, process, tools, words};

pub const TARGETS: [&str; 7] = [
    "canonical_target",
    "session_token",
    "route_match",
    "terminal_event",
    "event_decoder",
    "journal_record",
    "stripe_delivery",
];

/// Longer inputs find nothing more here and are slower.
const INPUT_BYTES_MAX: u32 = 4096;
/// One input may take so long, and the whole so much memory; each is a finding.
const INPUT_SECONDS_MAX: u32 = 5;
const MEMORY_MB_MAX: u32 = 1024;

/// Runs one target, or all, as many at a time as there are cores, each for so long. After a finding no other is begun.
pub fn run(layout: &Layout, only: Option<&str>, seconds: u32) -> Result<ExitCode> {
    tools::servers()?;
    tools::install_missing(&tools::absent(&["g++"]))?;
    build(layout)?;
    let targets: Vec<&str> = TARGETS.into_iter().filter(|target| only.is_none_or(|only| only == *target)).collect();
    for together in targets.chunks(process::cores()) {
        words::step(&format!("fuzzing {} for {seconds} s", together.join(" and ")));
        let told: Vec<Result<String>> = std::thread::scope(|scope| {
            let begun: Vec<_> =
                together.iter().map(|target| scope.spawn(move || fuzz(layout, target, seconds))).collect();
            begun.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        for (target, told) in together.iter().zip(told) {
            words::note(&format!("{target}: {}", told?));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn build(layout: &Layout) -> Result<()> {
    words::step("building the targets");
    let mut command = build::cargo(layout);
    // The whole workspace, so that features are those of the usual build and its crates can be taken.
    command.args(["build", "--locked", "--workspace", "--features", "fuzz/targets"]);
    for target in TARGETS {
        command.args(["--example", target]);
    }
    command.env("RUSTC_WORKSPACE_WRAPPER", layout.root.join("fuzz/counting_rustc"));
    let status = process::run(command)?;
    if !status.success() {
        bail!("the targets could not be built ({status}); the compiler's messages stand above");
    }
    Ok(())
}

/// What it found out, in one line.
fn fuzz(layout: &Layout, target: &str, seconds: u32) -> Result<String> {
    let kept = layout.root.join("fuzz/corpus").join(target);
    // What is found on the way is the next run's beginning; it is worth keeping while the machine is, and no longer.
    let found = layout.target.join("fuzz").join(target);
    let findings = layout.target.join("fuzz/findings");
    for directory in [&found, &findings] {
        fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    }
    let log = layout.log(&format!("fuzz-{target}"));
    let mut command = Command::new(layout.program(&format!("examples/{target}"), false));
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MB_MAX}"),
        format!("-artifact_prefix={}/{target}-", findings.display()),
    ]);
    command.arg(&found).arg(&kept);
    let out = log_file(&log)?;
    command.stderr(out.try_clone().context("sharing the log")?).stdout(out);
    let status = process::run(command)?;
    let text = fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    if !status.success() {
        let input =
            text.lines().find_map(|line| line.split_once("Test unit written to ")).map_or("none", |told| told.1);
        bail!(
            "{target} has a finding; its input: {input}. Mend it and keep the input under {}: `cargo dev test` goes through \
             those, too. {}",
            kept.display(),
            words::log_tail(&log)
        );
    }
    Ok(told(&text).unwrap_or_else(|| format!("read {}", log.display())))
}

fn log_file(log: &Path) -> Result<File> {
    if let Some(directory) = log.parent() {
        fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    }
    File::create(log).with_context(|| format!("opening the log {}", log.display()))
}

/// libFuzzer's last words: `#365595 DONE   cov: 1886 ft: 2446 corp: 162/9336b …`.
fn told(log: &str) -> Option<String> {
    let (runs, rest) = log.lines().find_map(|line| line.strip_prefix('#')?.split_once("DONE"))?;
    let mut words = rest.split_whitespace();
    let mut after = |name: &str| words.by_ref().find(|word| *word == name).and_then(|_| words.next());
    let (edges, inputs) = (after("cov:")?, after("corp:")?);
    let inputs = inputs.split('/').next()?;
    Some(format!("{} inputs tried, {edges} edges reached, {inputs} inputs that reach them, no finding", runs.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_tried_is_read_from_the_last_words() {
        let log = "#2\tINITED cov: 32 ft: 32\n#365595\tDONE   cov: 1886 ft: 2446 corp: 162/9336b lim: 2193 exec/s: 1\nDone 1\n";
        let line = told(log).unwrap();
        assert_eq!(line, "365595 inputs tried, 1886 edges reached, 162 inputs that reach them, no finding");
        assert_eq!(told("crashed"), None);
    }

    #[test]
    fn each_target_has_inputs_that_are_kept() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for target in TARGETS {
            assert!(fuzz.join("targets").join(format!("{target}.rs")).is_file(), "{target} is no target");
            assert!(fuzz.join("corpus").join(target).is_dir(), "{target} has no inputs");
        }
        assert_eq!(fs::read_dir(fuzz.join("targets")).unwrap().count(), TARGETS.len());
    }
}
