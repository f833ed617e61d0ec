//! Certification: does this Redis process hold all that the book knows of a shard?
//!
//! Compare clocks, catch up, seal, raise the fence in the book, compare, drain what is left, certify. Until it is done no debit runs; behind or missing,
//! and a new incarnation is built from the book.

use ledger::{Fence as BookFence, ShardRow, ShardState};
use metering::live::Fence;
use metering::live::owner::{Certified, Head, Mode, OwnerLink, Stream};
use metering::stream_entry::UNDECODABLE;
use metering::{Shard, ShardKind, TimeMs};
use serde_json::json;
use tracing::{info, warn};

use crate::clock_skew;
use crate::drain::drain_rest;
use crate::interruption::Interruption;
use crate::service::{REDIS_WAIT, Service};

/// A shard that may be served: the connection it was certified over, and the numbers.
pub struct Hold {
    /// The connection; when it breaks, the hold is void.
    pub link: OwnerLink,
    /// Live state's side.
    pub certified: Certified,
    /// The book's side.
    pub fence: BookFence,
    /// Whether its accounts or keys have to be installed.
    pub install: bool,
    /// Sequence of the last event in the book; `None` before the first.
    pub applied: Option<u64>,
    /// The incarnation before this one, whose keys can go once this one serves.
    pub replaced: Option<u64>,
}

/// Certifies a shard that we claimed with `epoch`.
pub async fn certify(service: &Service, shard: Shard, epoch: u64) -> Result<Hold, Interruption> {
    let row = ours(service, shard, epoch).await?; // asked first: with the book away, a good shard must not be sealed
    let mut link = OwnerLink::open_for(&service.redis, shard, REDIS_WAIT).await?;
    link.agree_on_shards(service.shard_count).await?;
    clock_skew::check(service, &mut link, shard).await?;
    let head = link.head(shard).await?;
    older_book(service, &row, &head).await?;
    catch_up(service, &mut link, row, &head).await?;
    link.seal(shard, epoch).await?;
    config::failpoint("certify.sealed");
    service.book.raise_fence(shard, epoch, head.certification).await?;
    config::failpoint("certify.fence_raised");
    // Read again: a commit of ours whose answer was lost may have landed until the fence was raised, which waits for it.
    let row = ours(service, shard, epoch).await?;
    let fence = row.fence();
    let found = if row.incarnation == 0 { None } else { link.look(&live_fence(&fence)).await? };
    match behind(&mut link, &row, &head, found, &fence).await? {
        None if row.state == ShardState::Installing => {
            // Which accounts an interrupted install has written is not known for certain: a tail of them may be lost. But those that
            // were written have served, and what they drew stands in the stream.
            if shard.kind == ShardKind::Accounts {
                drain_rest(service, &mut link, &fence, row.applied_sequence, true).await?;
            }
            let why = format!("incarnation {} was not installed to its end", row.incarnation);
            begin(service, link, &row, &head, fence, found, &why).await
        }
        None => go_on(service, link, &row, fence).await,
        Some(why) => begin(service, link, &row, &head, fence, found, &why).await,
    }
}

/// Records most of what waits in the stream while gateways are still let in, so that the shard is closed for the last events
/// only: a book that was away for long would keep callers waiting for as long as it takes to follow. Nothing but scripts of
/// the last certification can have written these events, and the book is compared with them first, as it is after the seal.
async fn catch_up(service: &Service, link: &mut OwnerLink, row: ShardRow, head: &Head) -> Result<(), Interruption> {
    if row.shard.kind == ShardKind::Keys || row.incarnation == 0 {
        return Ok(());
    }
    let fence = row.fence();
    let found = link.look(&live_fence(&fence)).await?;
    if behind(link, &row, head, found, &fence).await?.is_none() {
        drain_rest(service, link, &fence, row.applied_sequence, false).await?;
    }
    Ok(())
}

async fn ours(service: &Service, shard: Shard, epoch: u64) -> Result<ShardRow, Interruption> {
    let row = service.book.shard(shard).await?;
    if row.owner == Some(service.owner) && row.epoch == epoch {
        Ok(row)
    } else {
        Err(Interruption::Lost(anyhow::anyhow!("the book names another owner or epoch")))
    }
}

/// A book that knows less than Redis was put back to an older state. It gets an epoch that was never given before anything else, and what it
/// has forgotten is read once more from the stream, which keeps what was drained for a while. Where the shard was built anew since, the
/// stream to read is gone: it stands until somebody puts a younger book in place. Keys have no stream and are written again in any case.
async fn older_book(service: &Service, row: &ShardRow, head: &Head) -> Result<(), Interruption> {
    let shard = row.shard;
    if head.epoch > row.epoch {
        warn!(%shard, "the book was put back to an older state: it has forgotten epoch {} of shard {shard}", head.epoch);
        service.book.release_above(service.owner, shard, row.epoch, head.epoch).await?;
        return Err(Interruption::Lost(anyhow::anyhow!("it is claimed anew above epoch {}", head.epoch)));
    }
    if head.incarnation > row.incarnation && shard.kind == ShardKind::Accounts {
        let text = format!(
            "redis has incarnation {} of shard {shard}, the book only {}: the book was put back to a state before the shard was built anew, \
             and there are no events to read again; put a younger book in place",
            head.incarnation, row.incarnation
        );
        return Err(Interruption::Broken(text, None));
    }
    Ok(())
}

fn live_fence(fence: &BookFence) -> Fence {
    Fence { shard: fence.shard, incarnation: fence.incarnation, certification: fence.certification }
}

/// Why this process does not hold what the book knows; `None` when it does.
async fn behind(
    link: &mut OwnerLink,
    row: &ShardRow,
    head: &Head,
    found: Option<Stream>,
    fence: &BookFence,
) -> Result<Option<String>, Interruption> {
    if row.incarnation == 0 {
        return Ok(Some("the shard was never installed".to_owned()));
    }
    let Some(found) = found.filter(|_| head.incarnation == row.incarnation) else {
        return Ok(Some(format!("redis does not have incarnation {}", row.incarnation)));
    };
    let Some(applied) = row.applied_sequence else { return Ok(None) };
    if found.sequence < applied {
        return Ok(Some(format!("redis is at {}, the book at {applied}", found.sequence)));
    }
    if row.shard.kind == ShardKind::Keys {
        return Ok(None);
    }
    let entry = link.entry_at(&live_fence(fence), applied).await?;
    if entry.is_none()
        && let Some(oldest) = link.entries_from(&live_fence(fence), applied, 1).await?.pop()
    {
        let oldest = oldest.id.sequence;
        let text = format!(
            "the book is at {applied}, the stream begins at {oldest}: the book was put back to a state older than the stream remembers; put a \
             younger one in place"
        );
        return Err(Interruption::Broken(text, None));
    }
    // What one release could not read another may, or the other way round: that is no difference.
    let unread = |kind: &str| kind == UNDECODABLE;
    let same = entry.is_some_and(|entry| {
        let op = entry.event.as_ref().ok().and_then(|event| event.body.op());
        let (kind, recorded) = (entry.kind(), row.applied_kind.as_deref());
        unread(kind) || recorded.is_some_and(unread) || (op == row.applied_op && Some(kind) == recorded)
    });
    Ok((!same).then(|| format!("event {applied} in redis is not the one in the book")))
}

/// Redis holds all that the book knows: record what is left in the stream, then go on.
async fn go_on(service: &Service, mut link: OwnerLink, row: &ShardRow, fence: BookFence) -> Result<Hold, Interruption> {
    let mut applied = row.applied_sequence;
    let mut drained = applied.unwrap_or(0);
    if fence.shard.kind == ShardKind::Accounts {
        applied = drain_rest(service, &mut link, &fence, applied, true).await?;
        drained = applied.unwrap_or(0);
        let at = link.look(&live_fence(&fence)).await?.map_or(0, |stream| stream.sequence);
        if at != drained {
            return Err(Interruption::Broken(format!("the stream ends at {drained} but counted to {at}"), None));
        }
    }
    config::failpoint("certify.rest_drained");
    let certified =
        link.certify(live_fence(&fence), fence.epoch, Mode::Same, drained, TimeMs::EPOCH, service.caps()).await?;
    info!(shard = %fence.shard, certification = fence.certification, "shard {} goes on as incarnation {}", fence.shard, fence.incarnation);
    Ok(Hold { link, certified, fence, install: false, applied, replaced: None })
}

/// Redis does not hold what the book knows: a new incarnation begins.
async fn begin(
    service: &Service,
    mut link: OwnerLink,
    row: &ShardRow,
    head: &Head,
    fence: BookFence,
    found: Option<Stream>,
    why: &str,
) -> Result<Hold, Interruption> {
    let detail = json!({
        "why": why, "redis_run_id": link.process().run_id, "redis_incarnation": head.incarnation,
        "redis_sequence": found.map(|stream| stream.sequence), "book_sequence": row.applied_sequence,
    });
    let incarnation = service.book.start_incarnation(fence, head.incarnation, &detail).await?;
    config::failpoint("certify.incarnation_begun");
    let fence = BookFence { incarnation, ..fence };
    let highest = found.map_or(TimeMs::EPOCH, |stream| stream.highest).max(row.drained_at.unwrap_or(TimeMs::EPOCH));
    if row.incarnation == 0 {
        info!(shard = %fence.shard, "shard {} begins", fence.shard);
    } else {
        warn!(shard = %fence.shard, why, "shard {} is built anew as incarnation {incarnation}: {why}", fence.shard);
        service.metrics.rebuilds.inc();
    }
    let certified = link.certify(live_fence(&fence), fence.epoch, Mode::New, 0, highest, service.caps()).await?;
    let replaced = (head.incarnation > 0).then_some(head.incarnation);
    Ok(Hold { link, certified, fence, install: true, applied: None, replaced })
}
