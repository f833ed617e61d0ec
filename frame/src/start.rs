//! How a service begins and ends: wrong settings end it before anything is opened.

use std::process::ExitCode;

use anyhow::Context;
use config::ConfigError;
use config::log::Log;
use tracing::error;

use crate::log;

/// Runs a service on its checked settings until it ends; its name is for the log. With `only_check` it says that they are good, and ends.
pub fn start<S, F: Future<Output = anyhow::Result<()>>>(
    name: &str,
    checked: Result<S, ConfigError>,
    only_check: bool,
    log_of: impl FnOnce(&S) -> &Log,
    run: impl FnOnce(S) -> F,
) -> ExitCode {
    let checked = match checked {
        Ok(checked) => checked,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(config::EXIT_CODE);
        }
    };
    if only_check {
        eprintln!("the settings are good");
        return ExitCode::SUCCESS;
    }
    log::start(log_of(&checked));
    let runtime = tokio::runtime::Runtime::new().context("the runtime could not start");
    match runtime.and_then(|runtime| runtime.block_on(run(checked))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = format!("{error:#}"), "{name} stops: {error:#}");
            ExitCode::FAILURE
        }
    }
}
