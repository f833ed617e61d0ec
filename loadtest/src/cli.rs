//! What `loadtest` can be asked.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use http::{HeaderName, HeaderValue};
use jiff::SignedDuration;

use crate::line::Target;
use crate::mix::Mix;
use crate::process::Process;
use crate::rate::Rate;

/// Load for Tollgate at a rate that does not wait for answers.
#[derive(Parser)]
#[command(name = "loadtest", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub task: Task,
}

#[derive(Subcommand)]
pub enum Task {
    /// Call a gateway, or any HTTP server, and say what became of it.
    Run(Box<RunArgs>),
}

#[derive(Args)]
pub struct RunArgs {
    /// Where to call, `http://host:port`; connections take turns where there are several.
    #[arg(long, required = true, num_args = 1.., value_name = "URL")]
    pub target: Vec<Target>,
    /// API keys, one a line; a word behind a key names its account. Lines that begin with # are left out.
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
    /// Kinds of calls and how often each: json, sse, free, refused.
    #[arg(long, default_value = "json=1", value_name = "KIND=SHARE,…")]
    pub mix: Mix,
    /// Calls a second, or several rates in turn, such as 500/8s,3000/2s. Without it every connection calls again as soon as it was
    /// answered: that finds the highest rate, and says nothing about how long callers wait.
    #[arg(long)]
    pub rate: Option<Rate>,
    /// When calls are due at that rate: at even distances, or as strangers come.
    #[arg(long, value_enum, default_value_t = Arrivals::Constant)]
    pub arrivals: Arrivals,
    /// How long is measured.
    #[arg(long, default_value = "30s", value_parser = span)]
    pub duration: Duration,
    /// How long calls are made before that, at the same rate.
    #[arg(long, default_value = "2s", value_parser = span_or_none)]
    pub warm_up: Duration,
    /// Connections; as many calls can be under way.
    #[arg(long, default_value = "64")]
    pub connections: NonZeroUsize,
    /// How much more often the first keys are used than later ones, as Zipf's exponent; 0 = all alike.
    #[arg(long, default_value_t = 0.0, value_parser = exponent)]
    pub zipf: f64,
    /// Decides every call: the same seed makes the same ones.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A header that every call has, such as 'Pretend-Stream: chunks=20, gap=50'.
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub header: Vec<(HeaderName, HeaderValue)>,
    /// A call that has no whole answer by then is an error.
    #[arg(long, default_value = "30s", value_parser = span)]
    pub timeout: Duration,
    /// Threads that call.
    #[arg(long, default_value = "1")]
    pub threads: NonZeroUsize,
    /// Write what was found as JSON; - for standard output, in place of the table.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write it as a page with plots, in one file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write a line for each answer, as `tollgate audit --receipts` reads them.
    #[arg(long, value_name = "FILE")]
    pub receipts: Option<PathBuf>,
    /// Ask what each account has left, before and after (the first 1 000): it must be short of what its callers were told, or the
    /// exit code is 2. For accounts that nobody else draws from.
    #[arg(long)]
    pub balances: bool,
    /// How long credits that go back may take to arrive before a balance is wrong.
    #[arg(long, default_value = "20s", value_parser = span_or_none)]
    pub settle: Duration,
    /// Where a service has its metrics, `http://host:port`; the gateway's tell how long debits took, ledger-sync's what waits for the book.
    #[arg(long, value_name = "URL")]
    pub admin: Vec<Target>,
    /// A process whose CPU time and memory to tell, its descendants included.
    #[arg(long, value_name = "NAME=PID")]
    pub pid: Vec<Process>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arrivals {
    Constant,
    Poisson,
}

fn span(text: &str) -> Result<Duration, String> {
    span_or_none(text).and_then(|span| if span.is_zero() { Err("longer than nothing".to_owned()) } else { Ok(span) })
}

/// `500ms`, `30s`, `10m`.
pub fn span_or_none(text: &str) -> Result<Duration, String> {
    let span: SignedDuration = text.parse().map_err(|_| "a length of time such as 500ms, 30s or 10m".to_owned())?;
    Duration::try_from(span).map_err(|_| "not below nothing".to_owned())
}

fn exponent(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number such as 1.1".to_owned())?;
    (0.0..=10.0).contains(&number).then_some(number).ok_or_else(|| "from 0 to 10".to_owned())
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("NAME: VALUE")?;
    let name = name.trim().parse().map_err(|_| "no name of a header".to_owned())?;
    let value = value.trim().parse().map_err(|_| "no value of a header".to_owned())?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn spans_have_a_unit_and_are_longer_than_nothing() {
        assert_eq!(span("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(span("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["30", "-1s", "0s", "soon", ""] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
