//! What a request that draws nothing may do for an account that may not spend. A debit reads the status itself, where it is true.

use config::routes::WhenBlocked;
use metering::Credits;

use crate::account_statuses::AccountStatuses;
use crate::principal::Principal;
use crate::rejection::Rejection;
use crate::route_table::Route;
use crate::steps::authenticate::Authenticated;

pub async fn check_status(
    route: &Route,
    caller: &Authenticated,
    price: Option<Credits>,
    statuses: &AccountStatuses,
) -> Result<(), Rejection> {
    let Some(principal) = caller.principal().filter(|_| price.is_none() && route.when_blocked == WhenBlocked::Deny)
    else {
        return Ok(());
    };
    let status = match principal {
        Principal::Key(caller) => caller.account_status,
        Principal::Session(session) => {
            statuses.find(session.account).await.map_err(|cause| Rejection::MeterUnavailable(cause.why()))?
        }
    };
    if status.may_spend() { Ok(()) } else { Err(Rejection::Blocked(status)) }
}
