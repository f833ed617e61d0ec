//! What accounts used, counted from the book for people, and who of them has little left: a task beside those of the shards, so that no
//! drain waits for it.
//!
//! Each process counts the shards it owns, to share the work out; two that count one shard at once count nothing twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::ledger_sync::Settings;
use frame::chain;
use ledger::mails::Rearm;
use ledger::{DAY_MS, LedgerError, ShardRow, UsageCursor};
use metering::{Shard, ShardKind, TimeMs};
use tracing::{debug, warn};

use crate::service::Service;

/// Accounts looked at in one transaction.
const LOOK_PAGE: u32 = 1_000;

/// How far one shard is.
#[derive(Default)]
struct Counted {
    /// Where the last pass came to; `None` before the first of this process.
    cursor: Option<UsageCursor>,
    /// Everything up to then is counted.
    to: Option<TimeMs>,
    /// When all its accounts were last looked at.
    looked: Option<Instant>,
}

/// The shards of this process.
struct Rounds {
    rearm: Option<Rearm>,
    counted: BTreeMap<Shard, Counted>,
}

/// Counts until the service stops.
pub async fn run(service: Arc<Service>) {
    let interval = Duration::from_millis(service.settings.usage.interval_ms);
    let mut rounds = Rounds { rearm: rearm(&service.settings), counted: BTreeMap::new() };
    let mut pause = interval;
    loop {
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = match rounds.round(&service).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => interval,
            Err(error) => {
                service.metrics.usage.failed.inc();
                rounds.fall_behind(&service);
                if error.is_passing() {
                    debug!("usage is not counted: {}", chain(&error)); // the owners say that the book is away
                } else {
                    warn!(error = chain(&error), "usage is not counted: {}", chain(&error));
                }
                interval
            }
        };
    }
}

/// As the book's transactions take it.
fn rearm(settings: &Settings) -> Option<Rearm> {
    let rearm = settings.notices.rearm()?;
    Some(Rearm { above_percent: rearm.above_percent, pause_ms: u64::from(rearm.pause_days).saturating_mul(DAY_MS) })
}

impl Rounds {
    /// One pass of each shard; answers whether one of them has more.
    async fn round(&mut self, service: &Service) -> Result<bool, LedgerError> {
        let shards = service.book.shards().await?;
        let ours = |row: &&ShardRow| row.shard.kind == ShardKind::Accounts && row.owner == Some(service.owner);
        let ours: Vec<&ShardRow> = shards.iter().filter(ours).filter(|row| row.incarnation > 0).collect();
        self.counted.retain(|shard, _| {
            let stays = ours.iter().any(|row| row.shard == *shard);
            if !stays {
                service.metrics.usage.let_go(*shard);
            }
            stays
        });
        let mut more = false;
        for row in ours {
            more |= self.count(service, row).await?;
            self.look(service, row.shard).await?;
        }
        Ok(more)
    }

    /// Counts what the book has of a shard and is not counted yet, a bounded piece of it.
    async fn count(&mut self, service: &Service, row: &ShardRow) -> Result<bool, LedgerError> {
        let counted = self.counted.entry(row.shard).or_default();
        let (usage, now) = (&service.settings.usage, service.clock.now());
        if counted.cursor == Some(end_of(row)) {
            counted.to = Some(now);
            service.metrics.usage.lag(row.shard, 0);
            return Ok(false);
        }
        let pass = service.book.count_usage(row.shard, usage.batch_entries, now, self.rearm).await?;
        (counted.cursor, counted.to) = (Some(pass.cursor), Some(pass.counted_to));
        service.metrics.usage.entries.inc_by(pass.entries);
        service.metrics.usage.low_balance_mails.inc_by(pass.mails);
        service.metrics.usage.lag(row.shard, now.since(pass.counted_to));
        Ok(pass.more)
    }

    /// Looks at all accounts of a shard when it is new to this process, and from time to time.
    async fn look(&mut self, service: &Service, shard: Shard) -> Result<(), LedgerError> {
        let counted = self.counted.entry(shard).or_default();
        let every = Duration::from_millis(service.settings.usage.look_ms);
        if counted.looked.is_some_and(|looked| looked.elapsed() < every) {
            return Ok(());
        }
        let mut after = None;
        while !service.stop.is_cancelled() {
            let (book, now) = (&service.book, service.clock.now());
            let Some((last, mails)) = book.look_for_low_balances(shard, after, LOOK_PAGE, now, self.rearm).await?
            else {
                counted.looked = Some(Instant::now());
                break;
            };
            after = Some(last);
            service.metrics.usage.low_balance_mails.inc_by(mails);
        }
        Ok(())
    }

    /// While nothing is counted it gets old.
    fn fall_behind(&self, service: &Service) {
        let now = service.clock.now();
        for (shard, counted) in &self.counted {
            service.metrics.usage.lag(*shard, counted.to.map_or(0, |to| now.since(to)));
        }
    }
}

/// Where a pass comes to that counts all of it.
fn end_of(row: &ShardRow) -> UsageCursor {
    UsageCursor {
        incarnation: row.incarnation,
        next: row.applied_sequence.map_or(0, |applied| applied.saturating_add(1)),
    }
}
