//! The fleet: which processes live, and which shards each of them owns.
//!
//! Every process says that it lives, takes a fair share of the shards that are free, and gives up what is more than its share.
//! Who falls silent loses its shards when its lease runs out; the fences see to it that it can do no harm when it wakes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use frame::chain;
use ledger::{Fleet, LedgerError, ShardRow};
use metering::{Shard, ShardKind};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::service::Service;
use crate::{accounts, keys};

/// A shard that this process owns, and the task that serves it.
struct Owned {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Owns a fair share of the shards until the service stops, then gives all of them up.
pub async fn run(service: Arc<Service>) {
    service.tasks.spawn(watch_outbox(Arc::clone(&service)));
    service.tasks.spawn(keep_partitions(Arc::clone(&service)));
    service.tasks.spawn(count_partitions(Arc::clone(&service)));
    let mut owned = HashMap::new();
    let mut pulse = tokio::time::interval(Duration::from_millis(service.settings.lease.heartbeat_ms));
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = service.stop.cancelled() => break,
            _ = pulse.tick() => {}
        }
        owned.retain(|_, shard: &mut Owned| !shard.task.is_finished());
        match beat(&service, &mut owned).await {
            Ok(()) => service.metrics.heartbeat_ok.set(1),
            Err(error) => {
                service.metrics.heartbeat_ok.set(0);
                warn!(error = chain(&error), "no heartbeat: {}", chain(&error));
            }
        }
    }
    for shard in owned.values() {
        shard.stop.cancel();
    }
    for (_, shard) in owned {
        let _ = shard.task.await; // a task that panicked has logged it; its lease runs out
    }
}

/// One heartbeat: say that we live, take what is free up to our share, give up what is more.
async fn beat(service: &Arc<Service>, owned: &mut HashMap<Shard, Owned>) -> Result<(), LedgerError> {
    let lease = Duration::from_millis(service.settings.lease.duration_ms);
    let fleet = service.book.heartbeat(service.owner, &service.name, lease).await?;
    service.metrics.shards_known.set(i64::try_from(fleet.shards.len()).unwrap_or(i64::MAX));
    let surplus = surplus(&fleet, owned.keys());
    for shard in surplus {
        if let Some(shard) = owned.get(&shard) {
            shard.stop.cancel();
        }
    }
    for shard in wanted(&fleet, service, owned) {
        if let Some(row) = service.book.claim(service.owner, shard, lease).await? {
            config::failpoint("fleet.claimed");
            owned.insert(shard, serve(service, row));
        }
    }
    Ok(())
}

/// Our share of the shards of a kind: all of them over the live processes, rounded up.
fn share(fleet: &Fleet, kind: ShardKind) -> usize {
    let all = fleet.shards.iter().filter(|row| row.shard.kind == kind).count();
    all.div_ceil(fleet.live_owners.len().max(1))
}

/// Shards that we should take: free ones, up to our share of their kind.
fn wanted(fleet: &Fleet, service: &Service, owned: &HashMap<Shard, Owned>) -> Vec<Shard> {
    let free = |row: &&ShardRow| {
        let ours_unserved = row.owner == Some(service.owner); // left over from a task that ended
        (!row.leased || ours_unserved) && !owned.contains_key(&row.shard)
    };
    let room = |kind| {
        let ours = owned.keys().filter(|shard| shard.kind == kind).count();
        share(fleet, kind).saturating_sub(ours)
    };
    let of = |kind| fleet.shards.iter().filter(free).filter(move |row| row.shard.kind == kind);
    let accounts = of(ShardKind::Accounts).take(room(ShardKind::Accounts));
    accounts.chain(of(ShardKind::Keys).take(room(ShardKind::Keys))).map(|row| row.shard).collect()
}

/// Shards that we own beyond our share, highest numbers first.
fn surplus<'a>(fleet: &Fleet, owned: impl Iterator<Item = &'a Shard>) -> Vec<Shard> {
    let mut ours: Vec<Shard> = owned.copied().collect();
    ours.sort_unstable();
    let beyond = |kind| {
        let of_kind: Vec<Shard> = ours.iter().copied().filter(|shard| shard.kind == kind).collect();
        let share = share(fleet, kind).min(of_kind.len());
        of_kind.into_iter().skip(share)
    };
    beyond(ShardKind::Accounts).chain(beyond(ShardKind::Keys)).collect()
}

/// Starts the task that serves a shard which was just claimed.
fn serve(service: &Arc<Service>, row: ShardRow) -> Owned {
    let stop = service.stop.child_token();
    info!(shard = %row.shard, epoch = row.epoch, "shard {} is ours, epoch {}", row.shard, row.epoch);
    service.metrics.certified(row.shard, false);
    let (service, stop_of_task) = (Arc::clone(service), stop.clone());
    let tasks = service.tasks.clone();
    let task = tasks.spawn(async move {
        match row.shard.kind {
            ShardKind::Accounts => accounts::own(&service, &row, &stop_of_task).await,
            ShardKind::Keys => keys::own(&service, &row, &stop_of_task).await,
        }
        service.metrics.let_go(row.shard);
        if let Err(error) = service.book.release(service.owner, row.shard, row.epoch).await {
            info!(shard = %row.shard, "shard {} was not given up: {}", row.shard, chain(&error));
        }
    });
    Owned { stop, task }
}

/// Wakes the shard tasks when the outbox has news. A missed note costs one interval, not more.
async fn watch_outbox(service: Arc<Service>) {
    while !service.stop.is_cancelled() {
        let Ok(mut watch) = service.book.watch_outbox().await else {
            tokio::time::sleep(Duration::from_millis(500)).await;
            continue;
        };
        loop {
            tokio::select! {
                () = service.stop.cancelled() => return,
                note = watch.next() => {
                    service.outbox_news.send_modify(|news| *news = news.wrapping_add(1));
                    if note.is_err() { break }
                }
            }
        }
    }
}

/// Makes the partitions of the months to come, well before they begin.
async fn keep_partitions(service: Arc<Service>) {
    const EVERY: Duration = Duration::from_hours(1);
    loop {
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = service.book.ensure_partitions(service.clock.now()).await {
            warn!(error = chain(&error), "no partitions for the months to come: {}", chain(&error));
        }
    }
}

/// Has young partitions counted soon after they began to fill, at the start and each month.
async fn count_partitions(service: Arc<Service>) {
    const EVERY: Duration = Duration::from_secs(5);
    loop {
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = service.book.analyze_young_partitions().await {
            debug!(error = chain(&error), "young partitions are not counted: {}", chain(&error));
        }
    }
}
