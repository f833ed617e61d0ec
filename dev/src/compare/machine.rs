//! Where and when it was measured, and with what.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use super::wish::CompareWish;
use crate::layout::Layout;
use crate::process;

#[derive(Serialize)]
pub struct Circumstances {
    /// UTC, when it began.
    pub date: String,
    pub processor: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    /// Threads or processes of each gateway and proxy.
    pub workers: usize,
    pub connections: u32,
    pub windows: u32,
    pub seconds: u64,
    /// Load averages of a minute, when it began and when it ended: above what the comparison itself makes, others were at work.
    pub load_at_begin: String,
    pub load_at_end: String,
    /// Name → version.
    pub versions: Vec<(&'static str, String)>,
}

impl Circumstances {
    pub fn now(layout: &Layout, envoy: &Path, wish: &CompareWish, workers: usize) -> Result<Circumstances> {
        let lock = fs::read_to_string(layout.root.join("Cargo.lock")).context("reading Cargo.lock")?;
        let memory = line_of("/proc/meminfo", "MemTotal").and_then(|text| text.split_whitespace().next()?.parse().ok());
        Ok(Circumstances {
            date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            processor: line_of("/proc/cpuinfo", "model name").unwrap_or_default(),
            cores: process::cores(),
            memory_gib: memory.unwrap_or(0_u64) / (1024 * 1024),
            kernel: said("uname", &["-sr"]),
            workers,
            connections: wish.bench.connections,
            windows: wish.bench.windows,
            seconds: wish.bench.seconds,
            load_at_begin: load(),
            load_at_end: String::new(),
            versions: vec![
                (
                    "Tollgate",
                    said("git", &["-C", &layout.root.display().to_string(), "describe", "--always", "--dirty"]),
                ),
                ("rustc", word(&said("rustc", &["--version"]), 1)),
                ("pingora", locked(&lock, "pingora").unwrap_or_default()),
                ("Envoy", envoy_version(&said(&envoy.display().to_string(), &["--version"]))),
                ("nginx", said("nginx", &["-v"]).rsplit('/').next().unwrap_or_default().to_owned()),
                ("Redis", word(&said("redis-server", &["--version"]), 2).trim_start_matches("v=").to_owned()),
            ],
        })
    }

    pub fn ended(&mut self) {
        self.load_at_end = load();
    }
}

/// The first of the load averages.
fn load() -> String {
    word(&fs::read_to_string("/proc/loadavg").unwrap_or_default(), 0)
}

/// What stands behind a name and a colon.
fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// What a program says first, wherever it says it; nothing where it is not here.
fn said(program: &str, args: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(args).output() else { return String::new() };
    let both = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&both).lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

fn word(text: &str, place: usize) -> String {
    text.split_whitespace().nth(place).unwrap_or_default().to_owned()
}

/// `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`
fn envoy_version(told: &str) -> String {
    told.split('/')
        .find(|part| part.starts_with(|first: char| first.is_ascii_digit()) && part.contains('.'))
        .unwrap_or_default()
        .to_owned()
}

/// The version that the lock file has of a package.
fn locked(lock: &str, package: &str) -> Option<String> {
    let rest = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?.1;
    Some(rest.split('"').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        assert_eq!(envoy_version("envoy  version: 9e5580933739775e/1.40.0/Clean/RELEASE/BoringSSL"), "1.40.0");
        let lock = "[[package]]\nname = \"pingora-core\"\nversion = \"0.9.0\"\n\n[[package]]\nname = \"pingora\"\nversion = \"0.9.1\"\n";
        assert_eq!(locked(lock, "pingora").as_deref(), Some("0.9.1"));
    }
}
