//! `notices`: sends the mails that wait in the book, each at most once by itself, and keeps what became of them.
//!
//! `send.rs` is the life of one mail on one page; `worker.rs` takes them up, also after a crash.

mod admin;
mod compose;
mod decide;
mod mask;
mod metrics;
mod parts;
mod pause;
mod send;
mod service;
mod smtp;
mod watch;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use config::notices::Settings;
use frame::{StopSignals, chain};
use tracing::{info, warn};

use crate::parts::Parts;
use crate::service::Service;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sends the mails that wait in Tollgate's book.
#[derive(Parser)]
#[command(name = "notices", version)]
struct Arguments {
    /// Settings, laid over the compiled-in defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings, say so, and exit.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = config::load::<Settings>(config::Service::Notices, arguments.config.as_deref());
    let checked = settings.and_then(|settings| Ok((Parts::of(&settings)?, settings)));
    frame::start(
        "notices",
        checked,
        arguments.check,
        |(_, settings)| &settings.log,
        |(parts, settings)| run(settings, parts),
    )
}

/// Sends until told to stop, then finishes what is under way.
async fn run(settings: Settings, parts: Parts) -> anyhow::Result<()> {
    let admin = frame::bind(settings.admin_listen).await?;
    let book = frame::open_book(&settings.postgres)?;
    let service = Arc::new(Service::new(settings, parts, book)?);
    let mut signals = StopSignals::listen()?;
    service.tasks.spawn(admin::serve(admin, Arc::clone(&service)));
    let ended = tokio::select! {
        ended = work(&service) => ended,
        signal = signals.told() => { info!("told to stop by {signal}: finishing what is under way"); Ok(()) }
    };
    if !frame::finish(&service.stop, &service.tasks, service::STOP_WAIT).await {
        warn!("some mails were not finished in time; those that the mail server may have are unknown from now on");
    }
    service.book.close().await;
    ended
}

/// Waits for the book, then lets the tasks work on it; ends only with an error.
async fn work(service: &Arc<Service>) -> anyhow::Result<()> {
    service.check_book().await?;
    let (server, notices) = (service.parts.smtp.place(), service.settings.notices);
    info!(
        server,
        low_balance = notices.low_balance,
        lifecycle = notices.lifecycle,
        "notices is up: mails go to the server at {server}"
    );
    if notices.low_balance {
        match service.book.low_balance_switched_on(service.clock.now()).await {
            Ok(0) => {}
            Ok(queued) => info!(queued, "{queued} low-balance mails wait that were held back while none were sent"),
            Err(error) => warn!(error = chain(&error), "mails held back before stay so: {}", chain(&error)),
        }
    }
    service.tasks.spawn(watch::run(Arc::clone(service)));
    service.tasks.spawn(worker::run(Arc::clone(service)));
    std::future::pending().await
}
