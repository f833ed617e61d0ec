//! `cargo dev ctl`: the operators' command against the running setup.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::state::State;
use crate::up::TOLLGATE_SETTINGS;

/// Becomes the `tollgate` program, so that its output and exit code are the answer.
pub fn run(layout: &Layout, args: &[String]) -> Result<ExitCode> {
    let Some(state) = State::load(layout)?.filter(State::any_alive) else {
        bail!("nothing is running; cargo dev up starts it");
    };
    let program = layout.program("tollgate", state.wish.release);
    let settings = layout.run().join(TOLLGATE_SETTINGS);
    let err = Command::new(&program).arg("--config").arg(settings).args(args).exec();
    Err(err).with_context(|| format!("starting {}", program.display()))
}
