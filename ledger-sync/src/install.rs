//! Install: live state written from the book, for a whole shard or one account.

use std::sync::Arc;
use std::time::{Duration, Instant};

use frame::chain;
use metering::live::owner::{InstallOutcome, OwnerLink};
use metering::{AccountId, AccountImage, Shard};
use tracing::info;

use crate::certify::Hold;
use crate::drain::Drain;
use crate::interruption::Interruption;
use crate::service::{REDIS_WAIT, Service};

/// Accounts read and written at once.
const PAGE: u32 = 1000;
/// How often an install says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Writes every account of a shard; those that are there already, and went on, stay as they are. Whom callers ask for in vain meanwhile
/// is written first.
pub async fn install_all(service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<(), Interruption> {
    let mut progress = Progress::begin(service, hold.fence.shard).await?;
    let (mut after, mut installed, mut ahead) = (None, 0_usize, Vec::new());
    loop {
        let mut wanted = hold.link.wanted(&hold.certified, true).await?;
        wanted.retain(|account| after.is_none_or(|after| *account > after) && !ahead.contains(account));
        let asked_for = service.book.prepare_install_of(hold.fence, &wanted, service.clock.now()).await?;
        installed = installed.saturating_add(write(service, hold, &asked_for).await?);
        progress.wrote(asked_for.len());
        ahead.extend(asked_for.iter().map(|image| image.account));
        let images = service.book.prepare_install(hold.fence, after, PAGE, &ahead, service.clock.now()).await?;
        let Some(last) = images.last().map(|image| image.account) else { break };
        after = Some(last);
        installed = installed.saturating_add(write(service, hold, &images).await?);
        progress.wrote(images.len());
        config::failpoint("install.page");
        drain.all(service, hold).await?;
    }
    config::failpoint("install.last_page");
    hold.link.wanted(&hold.certified, false).await?;
    drain.all(service, hold).await?;
    info!(
        shard = %hold.fence.shard, installed, wait_ms = progress.began_ms_ago(),
        "shard {} has {installed} accounts installed", hold.fence.shard
    );
    Ok(())
}

/// Writes a page; answers how many accounts are as the book has them now.
async fn write(service: &Service, hold: &mut Hold, images: &[AccountImage]) -> Result<usize, Interruption> {
    config::failpoint("install.before_write");
    let outcomes = hold.link.install(&hold.certified, images).await?;
    config::failpoint("install.written");
    service.metrics.installed.inc_by(u64::try_from(images.len()).unwrap_or(0));
    Ok(outcomes.iter().filter(|outcome| **outcome == InstallOutcome::Installed).count())
}

/// How far an install is, for whoever waits for it; over when it goes.
pub struct Progress<'a> {
    service: &'a Service,
    shard: Shard,
    done: u64,
    of: u64,
    began: Instant,
    said: Instant,
}

impl<'a> Progress<'a> {
    /// Nothing is there yet.
    pub async fn begin(service: &'a Service, shard: Shard) -> Result<Self, Interruption> {
        let of = service.book.count_of_shard(shard).await?;
        service.metrics.installing(shard, 0, of);
        let now = Instant::now();
        Ok(Self { service, shard, done: 0, of, began: now, said: now })
    }

    /// So many more are there.
    pub fn wrote(&mut self, more: usize) {
        self.done = self.done.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        self.service.metrics.installing(self.shard, self.done, self.of);
        if self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            info!(shard = %self.shard, done = self.done, of = self.of, "shard {}: {} of {} are installed", self.shard, self.done, self.of);
        }
    }

    /// How long it has taken, ms.
    pub fn began_ms_ago(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.service.metrics.not_installing(self.shard);
    }
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
    config::failpoint("install.frozen");
    drain.all(service, hold).await?;
    let image = service.book.prepare_install_one(hold.fence, account, service.clock.now()).await?;
    let Some(image) = image else {
        if service.book.is_marked(hold.fence, account).await? {
            return Ok(false); // by what was just drained; frozen until an operator has decided
        }
        return Err(Interruption::Broken(format!("{account} is not an account of shard {}", hold.fence.shard), None));
    };
    match hold.link.install(&hold.certified, std::slice::from_ref(&image)).await?.first() {
        Some(InstallOutcome::Installed) => {
            config::failpoint("install.one_written");
            Ok(true)
        }
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
