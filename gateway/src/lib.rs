//! The edge of Tollgate: lets a request in if it is paid for, forwards it, and gives back what was not served.

mod account_standings;
mod admin;
mod admission;
mod changes;
mod confirmations;
mod cookies;
mod cors;
mod edge;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod gateway;
mod handover;
mod journal;
mod jwks;
mod key_cache;
mod limits;
mod live_balance;
mod log;
mod meter_call;
mod metrics;
mod open_debit;
mod own_request;
mod principal;
mod proxy;
mod rejection;
mod reload;
mod remembered;
mod request;
mod request_log;
mod restitution;
mod rfc3339;
mod route_table;
mod serve;
mod sockets;
mod steps;
mod stop;
mod stream_parts;
mod table;
mod tls;
mod traces;
mod upstreams;
mod watch;
mod websocket;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use config::Service;
use config::gateway::Settings;
use config::routes::Route;
use tracing_subscriber::EnvFilter;

use crate::metrics::Metrics;
use crate::table::Table;
use crate::tls::Certificates;

/// The metering edge proxy of Tollgate.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Settings that differ from the defaults (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings and the routes, then exit: 0 when they are good, 64 when not.
    #[arg(long)]
    check: bool,
    /// Take the place of the gateway that runs, without losing a request; where none runs, start as usual.
    #[arg(long)]
    upgrade: bool,
}

/// Runs until it is told to stop.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (settings, routes, certificates, filter) = match read(&arguments) {
        Ok(read) => read,
        Err(error) => {
            eprintln!("gateway: {error:#}");
            return ExitCode::from(config::EXIT_CODE);
        }
    };
    if arguments.check {
        eprintln!("gateway: the settings are good, with {} routes", routes.len());
        return ExitCode::SUCCESS;
    }
    log::start(settings.log.format, filter);
    match serve::serve(settings, routes, certificates, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the gateway can't start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

type Checked = (Settings, Vec<Route>, Option<Certificates>, EnvFilter);

fn read(arguments: &Arguments) -> anyhow::Result<Checked> {
    let settings: Settings = config::load(Service::Gateway, arguments.config.as_deref())?;
    let routes = settings.read_routes()?;
    settings.traces.rules()?;
    settings.journal.rules()?;
    let certificates = Certificates::read(&settings.tls)?;
    live_balance::place(&settings.redis)?;
    let filter = log::filter(&settings.log)?;
    // Only the gateway itself can check some of it, such as the files that upstreams name.
    Table::new(&settings, routes.clone(), &Metrics::new()?, None)?;
    Ok((settings, routes, certificates, filter))
}
