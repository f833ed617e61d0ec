//! `console`: the Billing screen, its API, and the operators' side. `routes.rs` is the whole table of what may be asked, and by whom.

mod activity;
mod admin;
mod api;
mod assets;
mod billing;
mod caller;
mod cookies;
mod dev_login;
mod guard;
mod input;
mod jwks;
mod keys;
mod metrics;
mod notices;
mod operator;
mod pages;
mod parts;
mod refusal;
mod roles;
mod routes;
mod service;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use config::console::Settings;
use frame::StopSignals;
use tracing::{info, warn};

use crate::parts::Parts;
use crate::service::Service;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A header line holds a session's token and a browser's other cookies of this host.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// The Billing screen, its API, and the operators' side of Tollgate.
#[derive(Parser)]
#[command(name = "console", version)]
struct Arguments {
    /// Settings, laid over the compiled-in defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings and the plans, say so, and exit.
    #[arg(long)]
    check: bool,
    /// Print the description of the API (`OpenAPI` 3.1, JSON) and exit.
    #[arg(long)]
    openapi: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.openapi {
        return api::print_description();
    }
    let settings = config::load::<Settings>(config::Service::Console, arguments.config.as_deref());
    let checked = settings.and_then(|settings| Ok((Parts::of(&settings)?, settings)));
    frame::start(
        "console",
        checked,
        arguments.check,
        |(_, settings)| &settings.log,
        |(parts, settings)| run(settings, parts),
    )
}

/// Serves until told to stop, then answers what is under way.
async fn run(settings: Settings, parts: Parts) -> anyhow::Result<()> {
    let people = frame::bind(settings.listen).await?;
    let admin = frame::bind(settings.admin_listen).await?;
    let book = frame::open_book(&settings.postgres)?;
    let service = Arc::new(Service::new(settings, parts, book).await?);
    let mut signals = StopSignals::listen()?;
    service.tasks.spawn(admin::serve(admin, Arc::clone(&service)));
    service.tasks.spawn(service::keep_keys(Arc::clone(&service)));
    service.tasks.spawn(service::watch_book(Arc::clone(&service)));
    let limits = frame::door::Limits {
        connections_max: service.settings.limits.connections_max,
        header_ms_max: service.settings.limits.header_ms_max,
        header_bytes_max: HEADER_BYTES_MAX,
    };
    let routes = routes::routes(&service);
    service.tasks.spawn(frame::door::serve(people, routes, limits, service.stop.clone(), service.tasks.clone()));
    let address = service.settings.listen;
    info!(%address, "console is up: pages and API are served on {address}");
    let signal = signals.told().await;
    info!("told to stop by {signal}: answering what is under way");
    if !frame::finish(&service.stop, &service.tasks, service::STOP_WAIT).await {
        warn!("some requests were not answered in time; what they had asked of the book is whole or not there");
    }
    service.book.close().await;
    Ok(())
}
