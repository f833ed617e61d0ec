//! Looks at the book once a second: whether it answers, what waits in it, and which mails nobody told the end of.

use std::sync::Arc;
use std::time::Duration;

use frame::chain;
use ledger::LedgerError;
use ledger::mails::NoticeSwitches;
use tracing::{debug, info, warn};

use crate::service::Service;

const EVERY: Duration = Duration::from_secs(1);
/// How many mails are found unknown at once; more are found the next time.
const LAPSED_MAX: u32 = 100;
/// How often it is told what this installation sends, so that people see when nobody sends any more.
const TELL_EVERY: Duration = Duration::from_secs(20);

/// Looks until the service stops.
pub async fn run(service: Arc<Service>) {
    let mut pulse = tokio::time::interval(EVERY);
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut tell = tokio::time::interval(TELL_EVERY);
    tell.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = service.stop.cancelled() => return,
            _ = pulse.tick() => look(&service).await,
            _ = tell.tick() => tell_switches(&service).await,
        }
    }
}

async fn tell_switches(service: &Service) {
    let config::notices::Notices { low_balance, lifecycle, .. } = service.settings.notices;
    let switches = NoticeSwitches { low_balance, lifecycle, told_at: service.clock.now() };
    if let Err(error) = service.book.tell_notice_switches(&switches).await {
        debug!(error = chain(&error), "what is sent could not be told: {}", chain(&error)); // that the book is away is told already
    }
}

async fn look(service: &Service) {
    let metrics = &service.metrics;
    let answered = metrics.book_answers.get() == 1;
    match see(service).await {
        Ok(()) => {
            metrics.book_answers.set(1);
            if !answered {
                info!("the book answers again");
            }
        }
        Err(error) => {
            metrics.book_answers.set(0);
            // Once is enough: it says when it answers again.
            if answered {
                warn!(error = chain(&error), "the book does not answer: {}", chain(&error));
            }
        }
    }
}

async fn see(service: &Service) -> Result<(), LedgerError> {
    lapse(service).await?;
    service.metrics.backlog(&service.book.mail_backlog().await?);
    Ok(())
}

/// Mails that nobody told the end of in time may have arrived.
async fn lapse(service: &Service) -> Result<(), LedgerError> {
    for mail in service.book.lapse_handovers(LAPSED_MAX, service.clock.now()).await? {
        service.metrics.lapsed.inc();
        warn!(mail, "mail {mail} is unknown: whoever handed it over did not tell how it ended");
    }
    Ok(())
}
