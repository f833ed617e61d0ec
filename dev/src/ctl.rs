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
    let mut command = command(layout, state.wish.release);
    let err = command.args(args).exec();
    Err(err).with_context(|| format!("starting {}", command.get_program().display()))
}

/// `tollgate`, with the settings of the setup in this layout.
pub fn command(layout: &Layout, release: bool) -> Command {
    let mut command = Command::new(layout.program("tollgate", release));
    command.arg("--config").arg(layout.run().join(TOLLGATE_SETTINGS));
    command
}
