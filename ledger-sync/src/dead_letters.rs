//! Dead letters: says what was parked, and carries out what operators decided about it.
//!
//! Only the owner may: it alone knows that nothing else of the account reaches the book meanwhile.

use ledger::{CarriedOut, Decision, Recorded, Run};
use metering::{AccountId, Shard};
use tracing::{error, info, warn};

use crate::certify::Hold;
use crate::drain::Drain;
use crate::install::install_one;
use crate::interruption::Interruption;
use crate::service::Service;

/// An event that can't be applied is news for whoever watches; those of its account that follow are counted.
pub fn tell(service: &Service, shard: Shard, recorded: &Recorded) {
    for parked in recorded.poison() {
        let account = parked.account.map_or_else(|| "nobody we can tell".to_owned(), |account| account.to_string());
        let (event, reason) = (parked.event, parked.reason.as_str());
        error!(%shard, %event, account, reason, "event {event} of shard {shard}, of {account}, can't be applied and is parked: {reason}");
    }
    service.metrics.parked(shard, recorded.parked.len());
}

/// Counts what is open, and carries out what waits.
pub async fn look_after(service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<(), Interruption> {
    let shard = hold.fence.shard;
    for decision in service.book.waiting_decisions(shard).await? {
        carry_out(service, hold, drain, &decision).await?;
    }
    service.metrics.dead_letters(shard, service.book.open_dead_letters(shard).await?);
    Ok(())
}

async fn carry_out(
    service: &Service,
    hold: &mut Hold,
    drain: &mut Drain,
    decision: &Decision,
) -> Result<(), Interruption> {
    let (book, fence, number) = (&service.book, hold.fence, decision.decision);
    let account = if decision.applied { decision.account } else { apply(service, hold, drain, decision).await? };
    let Some(account) = account else { return Ok(()) };
    if install_one(service, hold, drain, account).await? {
        info!(%account, "account {account} was installed anew, as decision {number} about dead letters asks");
    } else {
        warn!(%account, "account {account} has more dead letters since decision {number}: it is not installed anew");
    }
    Ok(book.close_decision(fence, number, None).await?)
}

/// Brings a decision into the book; answers the account that is then to be installed anew, because events of it were given up.
async fn apply(
    service: &Service,
    hold: &mut Hold,
    drain: &mut Drain,
    decision: &Decision,
) -> Result<Option<AccountId>, Interruption> {
    let (book, fence) = (&service.book, hold.fence);
    let mut live_seq = None;
    let concerned = decision.account.filter(|_| decision.gives_up() && decision.incarnation == fence.incarnation);
    if let Some(account) = concerned {
        // Tried first: an account that is frozen stays so until it is installed, and a refusal installs nothing.
        if let CarriedOut::Refused(why) = book.carry_out(fence, decision, Run::Trial).await? {
            return refuse(service, hold, decision, &why).await;
        }
        live_seq = hold.link.freeze(&hold.certified, &account, fence.epoch).await?;
        drain.all(service, hold).await?;
    }
    loop {
        match book.carry_out(fence, decision, Run::ForGood { live_seq }).await? {
            CarriedOut::More => {}
            CarriedOut::Done => {
                info!(shard = %fence.shard, "decision {} about dead letters is carried out", decision.decision);
                return Ok(None);
            }
            CarriedOut::OwesInstall(account) => return Ok(Some(account)),
            CarriedOut::Refused(why) => return refuse(service, hold, decision, &why).await,
        }
    }
}

async fn refuse(
    service: &Service,
    hold: &Hold,
    decision: &Decision,
    why: &str,
) -> Result<Option<AccountId>, Interruption> {
    warn!(shard = %hold.fence.shard, why, "decision {} about dead letters can't be carried out: {why}", decision.decision);
    service.book.close_decision(hold.fence, decision.decision, Some(why)).await?;
    Ok(None)
}
