//! `cargo dev prometheus`: rules, alerts, dashboards and runbooks of `deploy/` are held against what they are about.
//!
//! First `promtool` checks the rules and runs their unit tests. Then a real Prometheus scrapes a real house: every query of every rule and
//! panel has to be answered, nothing may fire while all is well, and faults that are planted have to fire their alerts.

mod ask;
mod faults;
mod queries;
mod runbooks;
mod server;
mod traffic;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::files::with_ending;
use crate::layout::Layout;
use crate::report::Report;
use crate::state::{self, Wish};
use crate::tools::prometheus::{Programs, programs};
use crate::{build, ports, process, tools, up, words};
use ask::Prometheus;

pub use server::{Pace, Server};

/// A house at rest gets this long until no alert is left that only its start has set off: the sample of accounts pauses for long on a busy machine.
const QUIET_LIMIT: Duration = Duration::from_mins(1);
/// It tells how fast the machine is.
const OF_THE_MACHINE: &str = "TollgateDebitSlow";

pub fn run(layout: &Layout, rules_only: bool) -> Result<ExitCode> {
    check(layout, &programs()?)?;
    if !rules_only {
        build::workspace(layout, &[])?;
        scrape(layout)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The part of CI that needs no house; on a developer's machine it is left out where Debian's Prometheus can't be had.
pub fn check_in_ci(layout: &Layout) -> Result<()> {
    here()?.map_or(Ok(()), |programs| check(layout, &programs))
}

/// The part of CI that needs one, of programs that are built.
pub fn scrape_in_ci(layout: &Layout) -> Result<()> {
    here()?.map_or(Ok(()), |_| scrape(layout))
}

fn here() -> Result<Option<Programs>> {
    tools::here("what needs Prometheus", programs())
}

/// Whether settings and rules are sound, and whether each alert fires when it should and keeps still when it should.
fn check(layout: &Layout, programs: &Programs) -> Result<()> {
    words::step("promtool: rules, and what each alert waits for");
    let home = home(layout);
    promtool(programs, &["check", "config"], &[home.join("prometheus.yml")])?;
    promtool(programs, &["test", "rules"], &with_ending(&home.join("tests"), "yml")?)
}

fn promtool(programs: &Programs, task: &[&str], files: &[PathBuf]) -> Result<()> {
    let mut command = Command::new(&programs.promtool);
    let output = command.args(task).args(files).output().context("starting promtool")?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "promtool {} failed:\n{}", task.join(" "), String::from_utf8_lossy(&said).trim());
    Ok(())
}

/// A real house, a real Prometheus.
fn scrape(layout: &Layout) -> Result<()> {
    words::step("starting a house, and Prometheus beside it");
    let layout = layout.aside("prometheus");
    let turn = state::lock(&layout)?;
    let wish = Wish { release: false, upstream: None, no_fault_upstream: false };
    let (house, standing) = up::bring_up(&layout, wish, &[])?;
    runbooks::check_commands(&layout)?;
    let port = ports::free()?;
    let service = Server { layout: &layout, standing: &standing, port, pace: Pace::Fast }.start()?;
    let prometheus = Prometheus { port };
    words::step("some traffic, then every query of every rule and panel");
    traffic::send(&standing)?;
    queries::check(&layout, &prometheus)?;
    keeps_still(&prometheus)?;
    faults::plant(&layout, &standing, &prometheus)?;
    drop((service, house, turn));
    Ok(())
}

/// Nothing may fire in a house where all is well, however short its alerts wait.
fn keeps_still(prometheus: &Prometheus) -> Result<()> {
    let mut firing: Vec<String> = Vec::new();
    let quiet = process::wait_until(QUIET_LIMIT, || {
        prometheus.firing().is_ok_and(|now| {
            firing = now.into_iter().filter(|alert| alert != OF_THE_MACHINE).collect();
            firing.is_empty()
        })
    });
    if !quiet {
        bail!("all is well, and these fire: {}", firing.join(", "));
    }
    words::note("no alert fires while all is well");
    Ok(())
}

fn home(layout: &Layout) -> PathBuf {
    layout.root.join("deploy/prometheus")
}

/// Where each job of `prometheus.yml` finds its target in a setup.
fn targets(standing: &Report) -> [(&'static str, &str); 5] {
    [
        ("gateway:9100", &standing.gateway_admin),
        ("ledger-sync:9101", &standing.ledger_sync_admin),
        ("webhook:9102", &standing.webhook_admin),
        ("console:9103", &standing.console_admin),
        ("notices:9104", &standing.notices_admin),
    ]
}
