//! A debit that has to be on the disk of Redis before its request goes upstream, where the route says so.

use config::routes::Durability;
use metering::AccountId;
use metering::live::{Certificate, NotDurable};

use crate::meter_call::within;
use crate::open_debit::OpenDebit;
use crate::rejection::{Rejection, Unmetered};
use crate::route_table::Route;
use crate::steps::draw::Balance;

/// The certification under which the debit must be found on disk: a Redis that came after it may have lost the debit. `None` where the route
/// does not ask.
pub async fn certificate(
    balance: &Balance,
    route: &Route,
    account: &AccountId,
) -> Result<Option<Certificate>, Rejection> {
    if route.durability == Durability::Append {
        return Ok(None);
    }
    let asked = Box::pin(within(balance.wait_max, balance.meter.certificate(account))).await;
    asked.map(Some).map_err(|unanswered| Rejection::MeterUnavailable(unanswered.why()))
}

/// Waits until the debit is on disk; one that is not in time is given back.
pub async fn until_durable(
    balance: &Balance,
    under: Option<Certificate>,
    debit: &mut OpenDebit,
) -> Result<(), Rejection> {
    let Some(under) = under else { return Ok(()) };
    Box::pin(wait(balance, &under, debit)).await
}

async fn wait(balance: &Balance, under: &Certificate, debit: &mut OpenDebit) -> Result<(), Rejection> {
    let Err(why) = balance.meter.until_durable(under, balance.fsync_max).await else { return Ok(()) };
    balance.metrics.debits_not_durable.inc();
    match why {
        NotDurable::Unsupported => tracing::error!("a route with durability = \"fsync\" is refused: {why}"),
        NotDurable::Late | NotDurable::Unanswered(_) => {
            tracing::debug!(error = &why as &dyn std::error::Error, "a debit is not on disk: {why}");
        }
    }
    debit.give_back(&balance.meter, balance.wait_max).await;
    Err(Rejection::MeterUnavailable(Unmetered::NotDurable))
}
