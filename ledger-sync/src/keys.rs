//! The life of a key shard in the hands of its owner: certify, install, open, then carry what changes.
//!
//! Keys are no money and have no stream: each write raises the shard's count of writes, the book notes it, and a process
//! that shows a lower count has lost some.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::{Outgoing, ShardRow, ShardState};
use metering::KeyDigest;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::accounts::{CARRY_EVERY, wait};
use crate::certify::{Hold, certify};
use crate::install::{Progress, forget_replaced};
use crate::interruption::Interruption;
use crate::report::Reporter;
use crate::service::Service;

/// How often an idle shard asks whether it is still certified.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Keys read and written at once.
const PAGE: u32 = 1000;

/// Owns a key shard until told to stop or until it is somebody else's.
pub async fn own(service: &Arc<Service>, row: &ShardRow, stop: &CancellationToken) {
    let mut news = service.outbox_news.subscribe();
    let mut reporter = Reporter::new(row.shard);
    while !stop.is_cancelled() {
        let interrupted = match certify(service, row.shard, row.epoch).await {
            Ok(hold) => serve(service, hold, &mut reporter, &mut news, stop).await,
            Err(interruption) => Err(interruption),
        };
        service.metrics.certified(row.shard, false);
        let Err(interruption) = interrupted else { return };
        let pause = reporter.report(service, &interruption);
        if matches!(interruption, Interruption::Lost(_)) {
            return;
        }
        wait(pause, &mut news, stop).await;
    }
}

/// Serves a certified key shard until it is interrupted or told to stop.
async fn serve(
    service: &Arc<Service>,
    mut hold: Hold,
    reporter: &mut Reporter,
    news: &mut watch::Receiver<u64>,
    stop: &CancellationToken,
) -> Result<(), Interruption> {
    if hold.install {
        install(service, &mut hold).await?;
    }
    carry(service, &mut hold).await?;
    hold.link.open_shard(&hold.certified).await?; // only now: a key that is not there yet must not be taken for unknown
    service.book.set_state(hold.fence, ShardState::Open).await?;
    service.metrics.certified(hold.fence.shard, true);
    reporter.recovered(service);
    forget_replaced(service, &hold);
    let mut carried = Some(Instant::now());
    while !stop.is_cancelled() {
        let told = wait(LOOK_EVERY, news, stop).await;
        hold.link.open_shard(&hold.certified).await?; // answers only while the certification stands
        if !told && carried.is_some_and(|at| at.elapsed() < CARRY_EVERY) {
            continue;
        }
        carried = None; // where it fails, it is tried again
        match carry(service, &mut hold).await {
            Err(Interruption::BookAway(error)) => {
                reporter.report(service, &Interruption::BookAway(error));
            }
            other => {
                other?;
                carried = Some(Instant::now());
            }
        }
    }
    Ok(())
}

/// Writes every key of the shard.
async fn install(service: &Service, hold: &mut Hold) -> Result<(), Interruption> {
    let mut progress = Progress::begin(service, hold.fence.shard).await?;
    let (mut after, mut installed) = (None, 0_usize);
    loop {
        let images = service.book.key_install(hold.fence, after, PAGE).await?;
        let Some(last) = images.last().map(|image| image.digest) else { break };
        after = Some(last);
        installed = installed.saturating_add(images.len());
        progress.wrote(images.len());
        if let Some(applied) = hold.link.put_keys(&hold.certified, &images).await? {
            config::failpoint("keys.written");
            service.book.deliver_keys(hold.fence, &[], applied).await?;
        }
    }
    info!(shard = %hold.fence.shard, installed, "shard {} has {installed} keys installed", hold.fence.shard);
    Ok(())
}

/// Writes the keys that outbox rows name, as the book has them now.
async fn carry(service: &Service, hold: &mut Hold) -> Result<(), Interruption> {
    loop {
        let pending = service.book.pending(hold.fence.shard, 0, PAGE).await?;
        if pending.is_empty() {
            return Ok(());
        }
        let digests: Vec<KeyDigest> = pending
            .iter()
            .filter_map(|row| match row.what {
                Outgoing::Key { digest } => Some(digest),
                Outgoing::Change { .. } => None,
            })
            .collect();
        let images = service.book.key_images(&digests).await?;
        let Some(applied) = hold.link.put_keys(&hold.certified, &images).await? else {
            return Err(Interruption::Broken("the outbox names keys that the book does not have".to_owned(), None));
        };
        config::failpoint("keys.carried");
        let rows: Vec<u64> = pending.iter().map(|row| row.row).collect();
        service.book.deliver_keys(hold.fence, &rows, applied).await?;
        service.metrics.control_carried.inc_by(u64::try_from(rows.len()).unwrap_or(0));
    }
}
