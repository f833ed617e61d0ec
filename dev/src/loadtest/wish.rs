//! How a scenario is asked for; what is not said is the scenario's own.

use std::path::PathBuf;

#[derive(clap::Args, Clone, Default)]
pub struct LoadWish {
    /// Calls a second, or several rates in turn, such as 500/8s,3000/2s.
    #[arg(long)]
    pub rate: Option<String>,
    /// How long is measured, such as 30s or 10m.
    #[arg(long)]
    pub duration: Option<String>,
    /// Connections; as many calls can be under way.
    #[arg(long)]
    pub connections: Option<u32>,
    /// Accounts that are called with.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=2_000_000))]
    pub accounts: Option<u64>,
    /// Decides every call.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write the run as a page with plots.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print what was found as one JSON line.
    #[arg(long)]
    pub json: bool,
    /// Run programs that are not optimised: for trying a scenario, not for figures.
    #[arg(long)]
    pub debug: bool,
    /// Run what was built last, without building.
    #[arg(long)]
    pub as_built: bool,
}
