//! What `cargo dev` can be asked, as clap reads it.

use clap::{Parser, Subcommand};

/// Tollgate on this machine: start it, talk to it, test it.
#[derive(Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub task: Task,
}

#[derive(Subcommand)]
pub enum Task {
    /// Run every test on services of its own; what stands behind goes to the tests (a name to filter by, --nocapture).
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        args: Vec<String>,
    },
    /// Run what CI runs: format, clippy, walls, house limits, tests.
    Ci {
        /// Many more random histories and races in the tests.
        #[arg(long)]
        full: bool,
    },
}
