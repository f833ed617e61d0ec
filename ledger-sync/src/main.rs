//! `ledger-sync`: owner of shards. Keeps the book in Postgres in step with live state in Redis.
//!
//! `fleet.rs` shares the shards out; `accounts.rs` is the life of an account shard, `keys.rs` that of a key shard;
//! `drain.rs` is how events reach the book.

mod accounts;
mod admin;
mod carry;
mod certify;
mod clock_skew;
mod dead_letters;
mod drain;
mod due;
mod fleet;
mod install;
mod interruption;
mod journal;
mod journal_rounds;
mod keys;
mod metrics;
mod report;
mod retention;
mod sample;
mod service;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use config::ledger_sync::Settings;
use frame::StopSignals;
use metering::live::Place;
use tracing::info;

use crate::service::Service;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Keeps Tollgate's book in step with its live balances.
#[derive(Parser)]
#[command(name = "ledger-sync", version)]
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
    let settings = config::load::<Settings>(config::Service::LedgerSync, arguments.config.as_deref());
    let checked = settings.and_then(|settings| {
        settings.check()?;
        Ok((frame::live_balance::place(&settings.redis)?, settings))
    });
    frame::start(
        "ledger-sync",
        checked,
        arguments.check,
        |(_, settings)| &settings.log,
        |(redis, settings)| run(settings, redis),
    )
}

/// Opens the book, listens, owns shards until told to stop, gives them up.
async fn run(settings: Settings, redis: Place) -> anyhow::Result<()> {
    let listener = frame::bind(settings.admin_listen).await?;
    let book = frame::open_book(&settings.postgres)?;
    let service = Arc::new(Service::new(settings, redis, book)?);
    let mut signals = StopSignals::listen()?;
    service.tasks.spawn(admin::serve(listener, Arc::clone(&service)));
    let ended = tokio::select! {
        ended = work(&service) => ended,
        signal = signals.told() => { info!("told to stop by {signal}: giving up the shards"); Ok(()) }
    };
    if !frame::finish(&service.stop, &service.tasks, service::STOP_WAIT).await {
        info!("some shards were not given up in time; their leases run out by themselves");
    }
    service.book.close().await;
    ended
}

/// Waits for the book, then lets the tasks work on it; ends only with an error.
async fn work(service: &Arc<Service>) -> anyhow::Result<()> {
    service.check_book().await?;
    info!(owner = %service.name, "ledger-sync is up as {}", service.name);
    let caps = service.caps();
    info!(
        events = caps.events,
        credits = caps.credits,
        age_ms = caps.age_ms,
        "a lost Redis can lose at most {} events and {} credits a shard, of the last {} s; what the book has is never lost",
        caps.events,
        caps.credits,
        caps.age_ms / 1_000
    );
    service.tasks.spawn(fleet::run(Arc::clone(service)));
    service.tasks.spawn(sample::run(Arc::clone(service)));
    service.tasks.spawn(usage::run(Arc::clone(service)));
    service.tasks.spawn(journal::forget_old(Arc::clone(service)));
    std::future::pending().await
}
