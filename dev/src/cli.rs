//! What `cargo dev` can be asked, as clap reads it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::compare::CompareWish;
use crate::fuzz::TARGETS;
use crate::loadtest::LoadWish;
use crate::prove::Choice;

/// Tollgate on this machine: start it, talk to it, test it.
#[derive(Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub task: Task,
}

#[derive(Subcommand)]
pub enum Task {
    /// Start everything: private Redis and Postgres, a pretend upstream, Stripe and mailbox, every service, seeded accounts.
    Up {
        /// Leave it running and return when it is healthy.
        #[arg(long)]
        detach: bool,
        /// Print one JSON line on stdout; everything else goes to stderr.
        #[arg(long)]
        json: bool,
        /// Build and run optimised programs.
        #[arg(long)]
        release: bool,
        /// Use this upstream instead of the pretend one.
        #[arg(long, value_name = "URL", conflicts_with = "no_fault_upstream")]
        upstream: Option<String>,
        /// The pretend upstream answers as asked, always.
        #[arg(long)]
        no_fault_upstream: bool,
        /// With Debian's Prometheus that scrapes every service and has the rules of `deploy/prometheus`.
        #[arg(long)]
        with_prometheus: bool,
    },
    /// Stop everything; the data stays for the next `up`.
    Down,
    /// Stop everything and forget the data.
    Reset,
    /// Run the operators' command, `tollgate`, against what is up.
    #[command(disable_help_flag = true)]
    Ctl {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        args: Vec<String>,
    },
    /// Run every test on services of its own; what stands behind goes to the tests (a name to filter by, --nocapture).
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        args: Vec<String>,
    },
    /// Throw inputs of chance at whatever reads bytes; what is found ends it.
    Fuzz {
        /// One target; all of them, as many at a time as there are cores, without it.
        #[arg(value_parser = TARGETS)]
        target: Option<String>,
        /// How long for each, seconds.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
        seconds: u32,
    },
    /// Go through the protocol between live state and book step by step, in every order, and take each of its guards out
    /// (--full, --scope NAME, --without GUARD, --guards).
    #[command(disable_help_flag = true)]
    Explore {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        args: Vec<String>,
    },
    /// Measure how much longer others wait while somebody attacks over HTTP/2; for a machine that does little else.
    Hostile,
    /// Check rules, alerts, dashboards and runbooks: unit tests, then every query on a Prometheus that scrapes a house, and planted faults.
    Prometheus {
        /// Only what needs no house: `promtool` on rules and their unit tests.
        #[arg(long)]
        rules: bool,
    },
    /// What `deploy/` holds: each file by the program that reads it, and the three-node installation walked through.
    Deploy {
        #[command(subcommand)]
        what: Deploy,
    },
    /// Run what CI runs: format, clippy, walls, house limits, the explorer, a little fuzzing, tests, and half a minute of `prove`.
    Ci {
        /// Many more random histories and races in the tests, longer fuzzing, the explorer's full scopes, ten minutes of `prove`.
        #[arg(long)]
        full: bool,
    },
    /// Prove it: 500 requests at once on 100 credits, then a load while processes are killed and Redis loses its tail, then the audit.
    Prove(ProveWish),
    /// Take Postgres away under load and bring it back, and measure how the book catches up, what a row costs it, and how fast live
    /// state is built anew.
    Outage(OutageWish),
    /// Measure what a request costs: gateway and Redis, with a bare pingora beside them in the same run.
    Bench(BenchWish),
    /// Count the instructions that a request takes, gateway beside bare pingora, under callgrind; more than there were is a failure.
    Instructions(InstructionsWish),
    /// Measure under load.
    Loadtest {
        #[command(subcommand)]
        scenario: Scenario,
    },
    /// Measure how many bytes accounts, lots, keys and calls take up, in Redis, in Postgres and in a gateway's journal.
    Sizes(SizesWish),
    /// Write the bill of materials of what is delivered (`CycloneDX`, JSON): every package with its version, licence and digest.
    Sbom {
        /// Where to; `target/sbom/tollgate.cdx.json` without it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Hold the packages of the tree against a copy of the `RustSec` database.
    Advisories {
        /// The copy: a directory with `crates` in it, such as a clone of its repository.
        #[arg(long, value_name = "DIR")]
        db: Option<PathBuf>,
    },
}

/// What is done with `deploy/`.
#[derive(Subcommand)]
pub enum Deploy {
    /// Hold every file against the program that will read it.
    Check,
    /// Walk through the three-node installation of its README, on this machine.
    Walkthrough,
}

/// What is measured under load.
#[derive(Subcommand)]
pub enum Scenario {
    /// The gateway beside bare pingora, Envoy, nginx, and nginx with Lua and Redis that does the same, in one run: P1 to P8.
    Compare(CompareWish),
    /// Ten seconds of everything, and the audit: what CI runs.
    Smoke(LoadWish),
    /// Everything that callers do, for ten minutes at half of the highest rate: all are served, memory stays, the audit is exact.
    Steady(LoadWish),
    /// Eight times the rate for two of ten seconds.
    Burst(LoadWish),
    /// Accounts that run out in the middle of it: served to the last credit and not beyond.
    Exhaustion(LoadWish),
    /// All calls on one account.
    HotAccount(LoadWish),
    /// An upstream that takes a second to answer.
    SlowUpstream(LoadWish),
    /// The gateway killed in the middle of it, and what callers lost by that.
    Crash(LoadWish),
    /// Higher and higher rates: the highest with 99 of 100 answers within 1, 5 and 10 ms.
    Ladder(LoadWish),
    /// Events of streams, by the gateway and by a bare pingora: how evenly they arrive (P12).
    Streams(LoadWish),
    /// A million accounts beside a thousand: what a debit costs (P11), and what Redis grows by.
    ManyAccounts(LoadWish),
    /// A thousand lots an account beside one: what a debit costs (P11).
    ManyLots(LoadWish),
}

/// What goes wrong while it is proven, and for how long.
#[derive(clap::Args)]
pub struct ProveWish {
    /// Decides every fault and every request: the same seed is the same plan.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How long the load runs; a part of a minute is good, too: 0.5.
    #[arg(long, default_value = "2", value_parser = minutes)]
    pub minutes: Length,
    /// Seconds from one fault's end to the next, about.
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub every: Length,
    /// Requests a second, whether or not answers come.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pub rate: u64,
    /// Only these, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    pub faults: Vec<Choice>,
    /// Print what would go wrong, and do nothing.
    #[arg(long)]
    pub plan: bool,
    /// Build and run optimised programs.
    #[arg(long)]
    pub release: bool,
    /// Keep the data, even when everything holds.
    #[arg(long)]
    pub keep: bool,
}

impl Default for ProveWish {
    fn default() -> ProveWish {
        let (minutes, every) = (Length(Duration::from_mins(2)), Length(Duration::from_secs(5)));
        let faults = vec![Choice::All];
        ProveWish { seed: 1, minutes, every, rate: 100, faults, plan: false, release: false, keep: false }
    }
}

/// How long Postgres is away, and under what load.
#[derive(clap::Args)]
pub struct OutageWish {
    /// How long Postgres is away.
    #[arg(long, default_value = "2", value_parser = minutes)]
    pub minutes: Length,
    /// Requests a second, whether or not answers come.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pub rate: u64,
    /// Accounts that the book has when live state is built anew.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(100..=2_000_000))]
    pub accounts: u64,
    /// Decides every request.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// A length of time.
#[derive(Clone, Copy)]
pub struct Length(pub Duration);

fn minutes(text: &str) -> Result<Length, String> {
    length(text, 60.0, 24.0 * 60.0)
}

fn seconds(text: &str) -> Result<Length, String> {
    length(text, 1.0, 3_600.0)
}

fn length(text: &str, unit: f64, most: f64) -> Result<Length, String> {
    let wrong = || format!("a number above 0 and at most {most}, such as 2 or 0.5");
    let number: f64 = text.parse().map_err(|_| wrong())?;
    let good = number > 0.0 && number <= most;
    good.then(|| Length(Duration::from_secs_f64(number * unit))).ok_or_else(wrong)
}

/// How long to measure, and how to say it.
#[derive(clap::Args)]
pub struct BenchWish {
    /// Windows of load on each side; they alternate.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(4..=60))]
    pub windows: u32,
    /// Length of a window, seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=120))]
    pub seconds: u64,
    /// Connections under load. Enough that neither side waits for work: what is measured is CPU time, not waiting.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub connections: u32,
    /// Measure what was built last, without building.
    #[arg(long)]
    pub as_built: bool,
    /// Print one JSON line.
    #[arg(long)]
    pub json: bool,
}

/// How long is counted.
#[derive(clap::Args)]
pub struct InstructionsWish {
    /// Length of each side's load, seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..=600))]
    pub seconds: u64,
    /// Connections of the load. With more than one, debits share calls as they do under load, and nothing is held against the guard.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub connections: u32,
    /// Count in what was built last, without building.
    #[arg(long)]
    pub as_built: bool,
    /// Print one JSON line.
    #[arg(long)]
    pub json: bool,
}

/// How much is planted and called to measure its bytes.
#[derive(clap::Args)]
pub struct SizesWish {
    /// Accounts of each kind: with one lot, with three, with ten; a fiftieth as many with a hundred.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    pub accounts: u64,
    /// How long calls of each kind go on, seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..=600))]
    pub seconds: u64,
    /// Measure what was built last, without building.
    #[arg(long)]
    pub as_built: bool,
    /// Print one JSON line.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_meant_for_another_program_goes_through_untouched() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["dev"], args].concat()).unwrap().task;
        let Task::Ctl { args } = parse(&["ctl", "--json", "lot", "grant", "--help"]) else { panic!("not ctl") };
        assert_eq!(args, ["--json", "lot", "grant", "--help"]);
        let Task::Test { args } = parse(&["test", "burn_order", "--nocapture"]) else { panic!("not test") };
        assert_eq!(args, ["burn_order", "--nocapture"]);
        let Task::Test { args } = parse(&["test", "--", "--ignored"]) else { panic!("not test") };
        assert_eq!(args, ["--ignored"]);
    }
}
