//! The edge of Tollgate: lets a request in if it is paid for, forwards it, and gives back what was not served.

mod admin;
mod admission;
mod edge;
#[cfg(test)]
mod fuzz;
mod gateway;
mod key_cache;
mod limits;
mod log;
mod meter_call;
mod metrics;
mod open_debit;
mod proxy;
mod rejection;
mod request;
mod request_log;
mod restitution;
mod rfc3339;
mod route_table;
mod serve;
mod steps;
mod stop;
mod tls;
mod upstreams;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use config::gateway::Settings;
use config::routes::Route;
use config::{ConfigError, Service};
use tracing_subscriber::EnvFilter;

use tls::Certificates;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (settings, routes, certificates, filter) = match read(&arguments) {
        Ok(read) => read,
        Err(error) => {
            eprintln!("gateway: {error}");
            return ExitCode::from(config::EXIT_CODE);
        }
    };
    if arguments.check {
        eprintln!("gateway: the settings are good, with {} routes", routes.len());
        return ExitCode::SUCCESS;
    }
    log::start(settings.log.format, filter);
    match serve::serve(&settings, routes, certificates) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the gateway can't start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

type Checked = (Settings, Vec<Route>, Option<Certificates>, EnvFilter);

fn read(arguments: &Arguments) -> Result<Checked, ConfigError> {
    let settings: Settings = config::load(Service::Gateway, arguments.config.as_deref())?;
    let routes = settings.read_routes()?;
    let certificates = Certificates::read(&settings.tls)?;
    let filter = log::filter(&settings.log)?;
    Ok((settings, routes, certificates, filter))
}
