//! `tollgate`: the operators' command. Every change goes through the book and its outbox, with an audit row.
//!
//! `cli.rs` is what can be asked, `commands.rs` what answers it.

mod answer;
mod cli;
mod columns;
mod commands;
mod desk;
mod failure;
mod instant;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::answer::Answer;
use crate::cli::Cli;
use crate::desk::Desk;
use crate::failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return say_usage(&refusal),
    };
    let json = cli.json;
    match run(cli) {
        Ok(answer) => {
            answer.print(json);
            ExitCode::from(answer.exit)
        }
        Err(failure) => {
            failure.print(json);
            ExitCode::from(failure.exit)
        }
    }
}

fn run(cli: Cli) -> Result<Answer, Failure> {
    let settings: config::tollgate::Settings = config::load(config::Service::Tollgate, cli.config.as_deref())?;
    let Some(command) = cli.command else {
        settings.stripe.read_plans()?;
        return Ok(Answer::settings_are_good());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let desk = Desk::open(settings, cli.by).await?;
        let answer = commands::run(&desk, command).await;
        desk.close().await;
        answer
    })
}

/// Help and version go to standard output and are no failure; anything else is a wrong use of the command.
fn say_usage(refusal: &clap::Error) -> ExitCode {
    let asked_for = matches!(refusal.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if refusal.print().is_err() {
        return ExitCode::FAILURE; // nobody reads us
    }
    if asked_for { ExitCode::SUCCESS } else { ExitCode::from(config::EXIT_CODE) }
}
