//! Prometheus for a setup: the settings and rules of `deploy/prometheus`, with the targets of this machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::files::with_ending;
use crate::layout::Layout;
use crate::process::Service;
use crate::report::Report;
use crate::tools::prometheus::programs;
use crate::{files, http};

const READY_LIMIT: Duration = Duration::from_secs(30);

/// How often it looks, and how long alerts wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// For people: every five seconds, and alerts as they are.
    Usual,
    /// For tests: every second, and no alert waits.
    Fast,
}

/// A Prometheus to be started.
pub struct Server<'a> {
    pub layout: &'a Layout,
    pub standing: &'a Report,
    pub port: u16,
    pub pace: Pace,
}

impl Server<'_> {
    pub fn start(&self) -> Result<Service> {
        let program = programs()?.server;
        let (settings, data) = (self.write()?, self.layout.state().join("prometheus"));
        files::make_dir(&data, 0o700)?;
        let mut command = Command::new(program);
        command.arg(format!("--config.file={}", settings.display()));
        command.arg(format!("--storage.tsdb.path={}", data.display())).arg("--storage.tsdb.retention.time=2d");
        command.arg(format!("--web.listen-address=127.0.0.1:{}", self.port)).arg("--log.level=warn");
        let mut service = Service::start("prometheus", command, &self.layout.log("prometheus"), Signal::TERM)?;
        service.wait_ready(READY_LIMIT, || http::is_good(self.port, "/-/ready"))?;
        Ok(service)
    }

    /// The settings, and beside them the rules.
    fn write(&self) -> Result<PathBuf> {
        let (home, run) = (super::home(self.layout), self.layout.run());
        let rules = run.join("rules");
        files::remove_dir(&rules)?; // a rule that was taken away must not live on
        files::make_dir(&rules, 0o700)?;
        for path in with_ending(&home.join("rules"), "yml")? {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            let name = path.file_name().context("a file of rules has a name")?;
            files::write_private(
                &rules.join(name),
                &if self.pace == Pace::Fast { without_waits(&text) } else { text },
            )?;
        }
        let text = fs::read_to_string(home.join("prometheus.yml")).context("reading prometheus.yml")?;
        let runbooks = self.layout.root.join("deploy/runbooks").display().to_string();
        let text = settings(&text, &super::targets(self.standing), &runbooks, self.pace)?;
        let file = run.join("prometheus.yml");
        files::write_private(&file, &text)?;
        Ok(file)
    }
}

/// The settings that are delivered, with other targets and another pace.
fn settings(text: &str, targets: &[(&str, &str)], runbooks: &str, pace: Pace) -> Result<String> {
    let interval = if pace == Pace::Fast { "1s" } else { "5s" };
    let mut text = text.replace(": 15s\n", &format!(": {interval}\n"));
    text = text.replace("https://runbooks.example/tollgate", &format!("file://{runbooks}"));
    for (delivered, here) in targets {
        let here = here.strip_prefix("http://").context("an admin listener's URL")?;
        ensure!(text.contains(&format!("\"{delivered}\"")), "prometheus.yml names no target {delivered}");
        text = text.replace(&format!("\"{delivered}\""), &format!("\"{here}\""));
    }
    Ok(text)
}

/// Rules whose alerts fire as soon as what they wait for is there.
fn without_waits(rules: &str) -> String {
    let line = |line: &str| if line.trim_start().starts_with("for: ") { String::new() } else { format!("{line}\n") };
    rules.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delivered_settings_take_the_targets_of_a_setup() {
        let delivered = include_str!("../../../deploy/prometheus/prometheus.yml");
        let targets = [
            ("gateway:9100", "http://127.0.0.1:1"),
            ("ledger-sync:9101", "http://127.0.0.1:2"),
            ("webhook:9102", "http://127.0.0.1:3"),
            ("console:9103", "http://127.0.0.1:4"),
            ("notices:9104", "http://127.0.0.1:5"),
        ];
        let text = settings(delivered, &targets, "/r", Pace::Fast).unwrap();
        for (port, job) in ["gateway", "ledger-sync", "webhook", "console", "notices"].iter().enumerate() {
            let lines =
                format!("job_name: tollgate-{job}\n    static_configs:\n      - targets: [\"127.0.0.1:{}\"]", port + 1);
            assert!(text.contains(&lines), "{lines}\nis missing in\n{text}");
        }
        assert!(!text.contains("15s") && !text.contains(":910") && text.contains("runbooks: file:///r\n"), "{text}");
        assert!(settings(delivered, &[("elsewhere:1", "http://127.0.0.1:1")], "/r", Pace::Usual).is_err());
    }

    #[test]
    fn only_waits_are_taken_out_of_rules() {
        let rules = "- alert: A\n  expr: up == 0\n  for: 5m\n  labels:\n    severity: page\n";
        assert_eq!(without_waits(rules), "- alert: A\n  expr: up == 0\n  labels:\n    severity: page\n");
    }
}
