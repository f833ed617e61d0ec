//! Install: live state written from the book, for a whole shard or one account.

use std::sync::Arc;
use std::time::Instant;

use metering::AccountId;
use metering::live::owner::{InstallOutcome, OwnerLink};
use tracing::info;

use crate::certify::Hold;
use crate::drain::Drain;
use crate::interruption::{Interruption, chain};
use crate::service::{REDIS_WAIT, Service};

/// Accounts read and written at once.
const PAGE: u32 = 1000;

/// Writes every account of a shard; those that are there already, and went on, stay as they are.
pub async fn install_all(service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<(), Interruption> {
    let (started, mut after, mut installed) = (Instant::now(), None, 0_usize);
    loop {
        let images = service.book.prepare_install(hold.fence, after, PAGE, service.clock.now()).await?;
        let Some(last) = images.last().map(|image| image.account) else { break };
        after = Some(last);
        let outcomes = hold.link.install(&hold.certified, &images).await?;
        installed =
            installed.saturating_add(outcomes.iter().filter(|outcome| **outcome == InstallOutcome::Installed).count());
        service.metrics.installed.inc_by(u64::try_from(images.len()).unwrap_or(0));
        drain.all(service, hold).await?;
    }
    info!(
        shard = %hold.fence.shard, installed, wait_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "shard {} has {installed} accounts installed", hold.fence.shard
    );
    Ok(())
}

/// Writes one account anew: freeze, drain its events, read the book, write. Answers whether it did: not while the account has open dead
/// letters, which would be dropped by it behind the operator's back.
pub async fn install_one(
    service: &Service,
    hold: &mut Hold,
    drain: &mut Drain,
    account: AccountId,
) -> Result<bool, Interruption> {
    if service.book.is_marked(hold.fence, account).await? {
        return Ok(false);
    }
    hold.link.freeze(&hold.certified, &account, hold.fence.epoch).await?;
    drain.all(service, hold).await?;
    let image = service.book.prepare_install_one(hold.fence, account, service.clock.now()).await?;
    let Some(image) = image else {
        if service.book.is_marked(hold.fence, account).await? {
            return Ok(false); // by what was just drained; frozen until an operator has decided
        }
        return Err(Interruption::Broken(format!("{account} is not an account of shard {}", hold.fence.shard), None));
    };
    match hold.link.install(&hold.certified, std::slice::from_ref(&image)).await?.first() {
        Some(InstallOutcome::Installed) => Ok(true),
        _ => Err(Interruption::Broken(
            format!("{account} is not where the book says, though it is frozen and drained"),
            None,
        )),
    }
}

/// Unlinks, beside everything else, what the incarnation before this one has left.
pub fn forget_replaced(service: &Arc<Service>, hold: &Hold) {
    let Some(replaced) = hold.replaced else { return };
    let (service, shard) = (Arc::clone(service), hold.fence.shard);
    service.tasks.clone().spawn(async move {
        let forget = async {
            let mut link = OwnerLink::open_for(&service.redis, shard, REDIS_WAIT).await?;
            link.forget(shard, replaced).await
        };
        let forgotten = tokio::select! {
            () = service.stop.cancelled() => return,
            forgotten = forget => forgotten,
        };
        match forgotten {
            Ok(keys) => info!(%shard, keys, "{keys} keys of incarnation {replaced} of shard {shard} are gone"),
            Err(error) => info!(%shard, "keys of incarnation {replaced} of shard {shard} stay: {}", chain(&error)),
        }
    });
}
