//! What becomes of one delivery that waits: applied, ignored, parked until somebody looks, or tried again later.

use std::time::Duration;

use frame::chain;
use ledger::LedgerError;
use ledger::stripe::{Done, Outcome, Parking, StoredDelivery};
use payments::{Reading, StripeError};
use tracing::{info, warn};

use crate::service::Service;

/// The first pause; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// How it ended, this time.
enum End {
    Applied,
    /// Somebody else was first.
    Already,
    Ignored,
    Parked(Parking),
    /// The book waits for something that it does not know yet, and has put it off.
    Waits(String),
}

/// Why it could not be ended now.
enum Hindrance {
    Stripe(StripeError),
    Book(LedgerError),
}

/// Settles it, or puts it off; tells the log and the metrics once.
pub async fn settle(service: &Service, stored: &StoredDelivery) {
    let (event, kind) = (&stored.delivery.event, &stored.delivery.kind);
    let (end, parked) = match decide(service, stored).await {
        Ok(End::Applied) => ("applied", None),
        Ok(End::Already) => ("already", None),
        Ok(End::Ignored) => ("ignored", None),
        Ok(End::Parked(why)) => ("parked", Some(why)),
        Ok(End::Waits(why)) => {
            service.metrics.postponed(kind, "waits");
            info!(event, kind, "delivery {event} ({kind}) waits: {why}");
            return;
        }
        Err(hindrance) => return postpone(service, stored, hindrance).await,
    };
    service.metrics.settled(kind, end, service.clock.now().since(stored.received_at));
    if let Some(Parking { code, detail }) = parked {
        service.metrics.parked(&code);
        warn!(event, kind, code, "delivery {event} ({kind}) is parked as {code}: {detail}");
    } else {
        info!(event, kind, end, "delivery {event} ({kind}) is {end}");
    }
}

/// Reads it and does what it says, in one transaction of the book.
async fn decide(service: &Service, stored: &StoredDelivery) -> Result<End, Hindrance> {
    let delivery = &stored.delivery;
    let now = service.clock.now();
    if delivery.live != service.parts.is_live() {
        return park(service, stored, wrong_mode(delivery.live)).await;
    }
    if stored.attempts > service.settings.worker.attempts_max {
        return park(service, stored, gave_up(stored)).await;
    }
    let event = match payments::parse(&delivery.body) {
        Ok(event) => event,
        Err(why) => return park(service, stored, Parking::new("unreadable", why.to_string())).await,
    };
    let reading = payments::read(&event, &service.parts.plans, service.parts.refetched_from(), now).await;
    config::failpoint("worker.read");
    match reading.map_err(Hindrance::Stripe)? {
        Reading::Effects(effects) => {
            let by = delivery.by(service.clock.now());
            let outcome = service.book.apply_delivery(&delivery.event, &effects, &by).await.map_err(Hindrance::Book)?;
            config::failpoint("worker.applied");
            Ok(match outcome {
                Outcome::Applied(done) => {
                    if done.iter().any(|done| matches!(done, Done::Unparked { .. })) {
                        // What waited for this one waits no more.
                        service.wake.notify_one();
                    }
                    End::Applied
                }
                Outcome::Already => End::Already,
                Outcome::Parked(why) => End::Parked(why),
                Outcome::Postponed(why) => End::Waits(why),
            })
        }
        Reading::Ignored => {
            service.book.ignore_delivery(&delivery.event, now).await.map_err(Hindrance::Book)?;
            config::failpoint("worker.ignored");
            Ok(End::Ignored)
        }
        Reading::Parked(why) => park(service, stored, why).await,
    }
}

async fn park(service: &Service, stored: &StoredDelivery, why: Parking) -> Result<End, Hindrance> {
    let parked = service.book.park_delivery(&stored.delivery.event, &why, service.clock.now()).await;
    parked.map_err(Hindrance::Book)?;
    config::failpoint("worker.parked");
    Ok(End::Parked(why))
}

fn wrong_mode(live: bool) -> Parking {
    let (is, ought) = if live { ("live", "test") } else { ("test", "live") };
    Parking::new("wrong_mode", format!("the event is of {is} mode, this installation takes {ought} mode"))
}

fn gave_up(stored: &StoredDelivery) -> Parking {
    Parking::new("gave_up", format!("tried {} times in vain; the log says why", stored.attempts.saturating_sub(1)))
}

/// Puts it off. Where the book is away that can't be written down either: then its lease runs out.
async fn postpone(service: &Service, stored: &StoredDelivery, hindrance: Hindrance) {
    let (event, kind) = (&stored.delivery.event, &stored.delivery.kind);
    let (code, why) = match &hindrance {
        Hindrance::Stripe(error) => (error.code(), chain(error)),
        Hindrance::Book(error) => (error.code(), chain(error)),
    };
    let pause = pause(stored.attempts, Duration::from_millis(service.settings.worker.pause_ms_max));
    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    service.metrics.postponed(kind, code);
    let until = service.clock.now().plus_ms(pause_ms);
    let put_off = service.book.postpone_delivery(event, until, code).await;
    config::failpoint("worker.postponed");
    let when = match put_off {
        Ok(()) => format!("in {pause_ms} ms"),
        Err(_) => "when its lease is over".to_owned(),
    };
    warn!(event, kind, code, "delivery {event} ({kind}) is tried again {when}: {why}");
}

/// A second, two, four, up to a limit.
fn pause(attempts: u32, longest: Duration) -> Duration {
    let doublings = attempts.saturating_sub(1).min(20); // 2^20 s are days already
    PAUSE.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_second_up_to_their_limit() {
        let longest = Duration::from_mins(10);
        let seconds: Vec<u64> =
            [0, 1, 2, 3, 9, 10, 11, 50, u32::MAX].map(|attempts| pause(attempts, longest).as_secs()).into();
        assert_eq!(seconds, [1, 1, 2, 4, 256, 512, 600, 600, 600]);
        assert_eq!(pause(1, Duration::from_millis(200)), Duration::from_millis(200));
    }
}
