//! `cargo dev`: the one command that starts, seeds, tests and checks Tollgate on a developer's machine.

mod advisories;
mod bench;
mod build;
mod ci;
mod cli;
mod compare;
mod ctl;
mod deploy;
mod down;
mod explore;
mod files;
mod fuzz;
mod http;
mod instructions;
mod interrupt;
mod layout;
mod limits;
mod loadtest;
mod ports;
mod postgres;
mod process;
mod prometheus;
mod prove;
mod redis;
mod report;
mod sbom;
mod secret;
mod sizes;
mod state;
mod suite;
mod tools;
mod up;
mod walls;
mod words;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Task};
use state::Wish;
use suite::{Beside, Scale};
use up::Manner;

/// The one test that is a measurement.
const HOSTILE: [&str; 4] =
    ["--ignored", "--nocapture", "--exact", "http2_harm::others_wait_hardly_longer_under_attack"];

fn main() -> ExitCode {
    let cli = Cli::parse();
    match interrupt::install().and_then(|()| run(cli.task)) {
        Ok(code) => code,
        Err(err) => {
            words::failure(&err);
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    let layout = layout::Layout::find()?;
    match task {
        Task::Up { detach, json, release, upstream, no_fault_upstream, with_prometheus } => {
            let wish = Wish { release, upstream, no_fault_upstream };
            up::run(&layout, wish, &Manner { detach, json, with_prometheus })
        }
        Task::Prometheus { rules } => prometheus::run(&layout, rules),
        Task::Down => down::run(&layout),
        Task::Reset => down::reset(&layout),
        Task::Ctl { args } => ctl::run(&layout, &args),
        Task::Test { args } => suite::run(&layout, &Scale::Usual, Beside::IfItCan, &args),
        Task::Deploy { what } => deploy::run(&layout, &what),
        Task::Ci { full } => ci::run(&layout, if full { &Scale::Full } else { &Scale::Usual }),
        Task::Fuzz { target, seconds } => fuzz::run(&layout, target.as_deref(), seconds),
        Task::Hostile => suite::run(&layout, &Scale::Usual, Beside::IfItCan, &HOSTILE.map(str::to_owned)),
        Task::Explore { args } => explore::run(&layout, &args),
        Task::Prove(wish) => prove::run(&layout, &wish),
        Task::Outage(wish) => prove::outage(&layout, &wish),
        Task::Bench(wish) => bench::run(&layout, &wish),
        Task::Instructions(wish) => instructions::run(&layout, &wish),
        Task::Loadtest { scenario } => loadtest::run(&layout, &scenario),
        Task::Sizes(wish) => sizes::run(&layout, &wish),
        Task::Sbom { out } => sbom::run(&layout, out.as_deref()),
        Task::Advisories { db } => advisories::run(&layout, db.as_deref()),
    }
}
