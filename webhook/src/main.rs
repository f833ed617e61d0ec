//! `webhook`: takes Stripe's signed deliveries, keeps each of them once in the book, and applies what they say; and what mail providers tell.
//!
//! `receive.rs` is one delivery on one page; `worker.rs` applies what was recorded, also after a crash.

mod admin;
mod apply;
mod door;
mod mail;
mod metrics;
mod parts;
mod receive;
mod reconcile;
mod refusal;
mod service;
mod watch;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use config::webhook::Settings;
use frame::StopSignals;
use tracing::{info, warn};

use crate::parts::Parts;
use crate::service::Service;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Takes Stripe's signed deliveries into Tollgate's book.
#[derive(Parser)]
#[command(name = "webhook", version)]
struct Arguments {
    /// Settings, laid over the compiled-in defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings and the plans, say so, and exit.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = config::load::<Settings>(config::Service::Webhook, arguments.config.as_deref());
    let checked = settings.and_then(|settings| Ok((Parts::of(&settings)?, settings)));
    frame::start(
        "webhook",
        checked,
        arguments.check,
        |(_, settings)| &settings.log,
        |(parts, settings)| run(settings, parts),
    )
}

/// Listens, takes deliveries and applies them until told to stop, then finishes what is under way.
async fn run(settings: Settings, parts: Parts) -> anyhow::Result<()> {
    let deliveries = frame::bind(settings.listen).await?;
    let admin = frame::bind(settings.admin_listen).await?;
    let book = frame::open_book(&settings.postgres)?;
    let service = Arc::new(Service::new(settings, parts, book)?);
    let mut signals = StopSignals::listen()?;
    service.tasks.spawn(admin::serve(admin, Arc::clone(&service)));
    // Stripe is answered from now on: while the book is not there it is told to come again.
    service.tasks.spawn(door::serve(deliveries, Arc::clone(&service)));
    let ended = tokio::select! {
        ended = work(&service) => ended,
        signal = signals.told() => { info!("told to stop by {signal}: finishing what is under way"); Ok(()) }
    };
    if !frame::finish(&service.stop, &service.tasks, service::STOP_WAIT).await {
        warn!(
            "some deliveries were not finished in time; they are taken up again by another webhook, or at the next start"
        );
    }
    service.book.close().await;
    ended
}

/// Waits for the book, then lets the tasks work on it; ends only with an error.
async fn work(service: &Arc<Service>) -> anyhow::Result<()> {
    service.check_book().await?;
    let address = service.settings.listen;
    info!(%address, mode = service.parts.mode_name(), "webhook is up: deliveries of {} mode are taken on {address}", service.parts.mode_name());
    service.tasks.spawn(watch::run(Arc::clone(service)));
    service.tasks.spawn(worker::run(Arc::clone(service)));
    service.tasks.spawn(reconcile::run(Arc::clone(service)));
    std::future::pending().await
}
