//! How long to compare, and how to say it.

use crate::cli::BenchWish;

#[derive(clap::Args)]
pub struct CompareWish {
    /// A window is a round here, in which everybody has one.
    #[command(flatten)]
    pub bench: BenchWish,
    /// Threads of each gateway and proxy that threads, worker processes of each that forks; 0 = one per core.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=256))]
    pub workers: u32,
    /// Write the figures into loadtest/RESULTS.md; what was written there by hand stays.
    #[arg(long)]
    pub write: bool,
}
