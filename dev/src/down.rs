//! `cargo dev down` stops what runs; `cargo dev reset` also forgets its data.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use crate::layout::Layout;
use crate::process::PATIENCE;
use crate::state::{self, State};
use crate::{files, postgres, process, words};

pub fn run(layout: &Layout) -> Result<ExitCode> {
    match State::load(layout)? {
        Some(state) if state.any_alive() => {
            words::step("stopping everything");
            stop(layout, &state);
        }
        _ => {
            words::step("nothing is running");
            State::forget(layout);
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub fn reset(layout: &Layout) -> Result<ExitCode> {
    run(layout)?;
    let turn = state::lock(layout)?;
    words::step("forgetting all data");
    // It may lie outside `.dev/`, where the user postgres could not reach that.
    if let Ok(home) = postgres::reachable(layout.state().join("postgres")) {
        files::remove_dir(&home)?;
    }
    files::remove_dir(&layout.state())?;
    drop(turn);
    Ok(ExitCode::SUCCESS)
}

/// Stops a setup of another run: through its launcher if that still waits in a terminal, else service by service.
pub fn stop(layout: &Layout, state: &State) {
    if let Some(launcher) = state.launcher.as_ref().filter(|launcher| launcher.alive()) {
        launcher.signal(Signal::TERM);
        let services = u32::try_from(state.services.len()).unwrap_or(u32::MAX);
        process::wait_until(PATIENCE * services + Duration::from_secs(5), || !launcher.alive());
    }
    for (name, record) in state.services.iter().rev() {
        // SIGTERM would let Postgres wait for every connection to leave.
        let signal = if name == "postgres" { Signal::INT } else { Signal::TERM };
        record.stop(signal, PATIENCE);
    }
    State::forget(layout);
}
