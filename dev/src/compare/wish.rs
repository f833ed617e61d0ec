//! How long to compare, and how to say it.

#[derive(clap::Args)]
pub struct CompareWish {
    /// Rounds; in each, everybody has one window of load.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(4..=60))]
    pub windows: u32,
    /// Length of a window, seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=120))]
    pub seconds: u64,
    /// Connections under load. Enough that nobody waits for work: what is measured is CPU time, not waiting.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub connections: u32,
    /// Threads of each gateway and proxy that threads, worker processes of each that forks; 0 = one per core.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=256))]
    pub workers: u32,
    /// Measure what was built last, without building.
    #[arg(long)]
    pub as_built: bool,
    /// Print one JSON line.
    #[arg(long)]
    pub json: bool,
    /// Write the figures into loadtest/RESULTS.md; what was written there by hand stays.
    #[arg(long)]
    pub write: bool,
}
